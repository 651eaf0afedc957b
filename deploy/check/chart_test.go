package check

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"

	"github.com/weirhq/weir/config"
)

// helm runs the real helm, by the words in the variable HELM.
func helm(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	words := strings.Fields(os.Getenv("HELM"))
	if len(words) == 0 {
		t.Skip("HELM does not say how to run helm; make deploy-check does")
	}
	words = append(words, arguments...)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return said.String(), err
	}
	return string(out), nil
}

const chart = "../helm/weir"

// objects are what a chart has made, by kind and name.
type objects map[string]any

// custom is an object of which Kubernetes' own API knows no type.
type custom struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       map[string]any `json:"spec"`
}

// render makes the objects of some values. What is no field of its type, or of
// another type, is a fault.
func render(t *testing.T, arguments ...string) objects {
	t.Helper()
	text, err := helm(t, append([]string{"template", "r", chart, "--namespace", "security"}, arguments...)...)
	if err != nil {
		t.Fatal(err, text)
	}
	types := map[string]func() any{
		"v1 ConfigMap":                            func() any { return new(corev1.ConfigMap) },
		"v1 Service":                              func() any { return new(corev1.Service) },
		"v1 ServiceAccount":                       func() any { return new(corev1.ServiceAccount) },
		"apps/v1 StatefulSet":                     func() any { return new(appsv1.StatefulSet) },
		"policy/v1 PodDisruptionBudget":           func() any { return new(policyv1.PodDisruptionBudget) },
		"networking.k8s.io/v1 Ingress":            func() any { return new(networkingv1.Ingress) },
		"networking.k8s.io/v1 NetworkPolicy":      func() any { return new(networkingv1.NetworkPolicy) },
		"monitoring.coreos.com/v1 ServiceMonitor": func() any { return new(custom) },
		"monitoring.coreos.com/v1 PrometheusRule": func() any { return new(custom) },
	}
	out := objects{}
	for _, document := range strings.Split("\n"+text, "\n---") {
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Metadata   struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			t.Fatal(err, document)
		}
		if head.Kind == "" {
			continue
		}
		kind, ok := types[head.APIVersion+" "+head.Kind]
		if !ok {
			t.Fatalf("an object of %s %s", head.APIVersion, head.Kind)
		}
		o := kind()
		if err := yaml.UnmarshalStrict([]byte(document), o); err != nil {
			t.Errorf("%s %s: %v", head.Kind, head.Metadata.Name, err)
		}
		out[head.Kind+" "+head.Metadata.Name] = o
	}
	return out
}

// get returns an object of a kind and a name.
func get[T any](t *testing.T, all objects, name string) *T {
	t.Helper()
	o, ok := all[reflect.TypeFor[T]().Name()+" "+name].(*T)
	if !ok {
		t.Fatalf("there is no %s %s; there are %v", reflect.TypeFor[T]().Name(), name, slices.Sorted(maps.Keys(all)))
	}
	return o
}

var everything = []string{"--values", chart + "/ci/everything-values.yaml"}

func TestChartLints(t *testing.T) {
	for _, values := range [][]string{nil, everything} {
		if out, err := helm(t, append([]string{"lint", "--strict", chart}, values...)...); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// Without values but those that there are by default, two processes run that may
// do as little as possible.
func TestChartByDefault(t *testing.T) {
	all := render(t)
	want := []string{"ConfigMap r", "PodDisruptionBudget r-main", "Service r", "Service r-pods", "ServiceAccount r", "StatefulSet r-main"}
	if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, want) {
		t.Errorf("objects %v, want %v", got, want)
	}
	set := get[appsv1.StatefulSet](t, all, "r-main")
	pod := set.Spec.Template.Spec
	container := pod.Containers[0]
	if *set.Spec.Replicas != 2 || container.Image != "weirhq/weir:dev" || !slices.Equal(container.Args, []string{"run", "--config=/etc/weir/weir.yaml"}) {
		t.Errorf("%d of %s %v", *set.Spec.Replicas, container.Image, container.Args)
	}
	if s := container.SecurityContext; !*pod.SecurityContext.RunAsNonRoot || *pod.AutomountServiceAccountToken || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || s.Capabilities.Drop[0] != "ALL" {
		t.Errorf("a process may do more than it needs to: %+v", s)
	}
	if got := container.Env; len(got) != 1 || got[0].Value != "1843MiB" { // 90 % of 2 Gi
		t.Errorf("the environment is %v", got)
	}
	checkSelectors(t, all)
	checkConfig(t, get[corev1.ConfigMap](t, all, "r").Data)
}

// With everything switched on, each value has arrived where it belongs.
func TestChartWithEverything(t *testing.T) {
	all := render(t, everything...)
	checkSelectors(t, all)
	checkConfig(t, get[corev1.ConfigMap](t, all, "r").Data)
	for name, want := range map[string]struct {
		replicas int32
		roles    string
		memory   string
	}{"r-ingest": {4, "--roles=ingest", "1843MiB"}, "r-detect": {8, "--roles=join,detect", "7372MiB"}, "r-rest": {1, "--roles=correlate,notify", "1843MiB"}} {
		set := get[appsv1.StatefulSet](t, all, name)
		c := set.Spec.Template.Spec.Containers[0]
		if *set.Spec.Replicas != want.replicas || c.Args[2] != want.roles || c.Env[0].Value != want.memory || c.Env[1].Name != "SLACK_TOKEN" {
			t.Errorf("%s: %d replicas, %v, %v", name, *set.Spec.Replicas, c.Args, c.Env)
		}
		if !strings.Contains(c.Image, "weirhq/weir@sha256:0123") {
			t.Errorf("%s: the image is %s", name, c.Image)
		}
	}
	if all["StatefulSet r-main"] != nil || all["PodDisruptionBudget r-rest"] != nil || all["PodDisruptionBudget r-detect"] == nil {
		t.Errorf("objects %v", slices.Sorted(maps.Keys(all)))
	}
	paths := get[networkingv1.Ingress](t, all, "r").Spec.Rules[0].HTTP.Paths
	if len(paths) != 1 || paths[0].Path != "/slack/" {
		t.Errorf("paths %v are open to the world", paths)
	}
	checkMonitoring(t, all)
}

// checkMonitoring holds what the operator and Grafana get against the files that
// were checked.
func checkMonitoring(t *testing.T, all objects) {
	t.Helper()
	for file, got := range map[string]string{
		"../prometheus/weir.rules.yaml": string(must(yaml.Marshal(customObject(t, all, "PrometheusRule r").Spec))(t)),
		"../grafana/weir.json":          get[corev1.ConfigMap](t, all, "r-dashboard").Data["weir.json"],
	} {
		var want, have any
		if err := yaml.Unmarshal(must(os.ReadFile(file))(t), &want); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal([]byte(got), &have); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(have, want) {
			t.Errorf("%s has come out otherwise", file)
		}
	}
	service := get[corev1.Service](t, all, "r")
	selector := customObject(t, all, "ServiceMonitor r").Spec["selector"].(map[string]any)["matchLabels"].(map[string]any)
	for name, value := range selector {
		if service.Labels[name] != value {
			t.Errorf("the ServiceMonitor looks for %s=%v, the service has %q", name, value, service.Labels[name])
		}
	}
	if headless := get[corev1.Service](t, all, "r-pods"); headless.Labels["app.kubernetes.io/component"] != "" {
		t.Error("the ServiceMonitor finds both services, and counts each process twice")
	}
}

// customObject returns an object of which Kubernetes' own API knows no type.
func customObject(t *testing.T, all objects, key string) *custom {
	t.Helper()
	o, ok := all[key].(*custom)
	if !ok {
		t.Fatalf("there is no %s", key)
	}
	return o
}

// must returns a value, or ends the test that it is then given.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// checkSelectors finds selectors that select nothing, and volumes and ports that
// are not there.
func checkSelectors(t *testing.T, all objects) {
	t.Helper()
	var pods []map[string]string
	for _, o := range all {
		set, ok := o.(*appsv1.StatefulSet)
		if !ok {
			continue
		}
		labels := set.Spec.Template.Labels
		pods = append(pods, labels)
		if !selects(set.Spec.Selector.MatchLabels, labels) {
			t.Errorf("%s does not select its own pods", set.Name)
		}
		if service := get[corev1.Service](t, all, set.Spec.ServiceName); service.Spec.ClusterIP != corev1.ClusterIPNone {
			t.Errorf("%s: the service %s is not headless", set.Name, service.Name)
		}
		volumes := map[string]bool{}
		for _, v := range set.Spec.Template.Spec.Volumes {
			volumes[v.Name] = true
		}
		for _, m := range set.Spec.Template.Spec.Containers[0].VolumeMounts {
			if !volumes[m.Name] {
				t.Errorf("%s: there is no volume %s", set.Name, m.Name)
			}
		}
		if name := set.Spec.Template.Spec.ServiceAccountName; all["ServiceAccount "+name] == nil {
			t.Errorf("%s: there is no service account %s", set.Name, name)
		}
	}
	for name, o := range all {
		var selector map[string]string
		switch o := o.(type) {
		case *corev1.Service:
			selector = o.Spec.Selector
		case *policyv1.PodDisruptionBudget:
			selector = o.Spec.Selector.MatchLabels
		case *networkingv1.NetworkPolicy:
			selector = o.Spec.PodSelector.MatchLabels
		default:
			continue
		}
		if !slices.ContainsFunc(pods, func(labels map[string]string) bool { return selects(selector, labels) }) {
			t.Errorf("%s selects no pod", name)
		}
	}
}

func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return len(selector) > 0
}

// checkConfig reads the configuration as weir does, with files where the Secret
// would be.
func checkConfig(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"record.key": "0123456789abcdef0123456789abcdef\n", "slack-signing": "0123456789abcdef0123456789abcdef\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.ReplaceAll(files["weir.yaml"], "/run/secrets/weir", dir)
	for name := range files {
		text = strings.ReplaceAll(text, name, "native") // a field map of one's own is not what is tried here
	}
	c, err := config.Parse("weir.yaml", []byte(text), func(name string) (string, bool) { return "xoxb-1", name == "SLACK_TOKEN" })
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if c.HTTP.Listen != ":9464" {
		t.Errorf("it listens on %q, where no probe reaches it", c.HTTP.Listen)
	}
}

// Values that are spelt or typed wrongly are refused, and a workload can be
// stopped.
func TestChartValues(t *testing.T) {
	for values, want := range map[string]string{
		"imagee.tag=1":                     "imagee",
		"existingSecret=":                  "existingSecret",
		"workloads.main.roles={detekt}":    "roles",
		"workloads.main.replica=1":         "replica",
		"goMemoryPercent=120":              "goMemoryPercent",
		"image.digest=md5:0":               "digest",
		"monitoring.serviceMonitor.on=yes": "serviceMonitor",
	} {
		if out, err := helm(t, "template", "r", chart, "--set", values); err == nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", values, err, out)
		}
	}
	all := render(t, "--set", "workloads.main.replicas=0", "--set", "goMemoryPercent=0", "--set", "serviceAccount.create=false", "--set", "fullnameOverride=watch")
	set := get[appsv1.StatefulSet](t, all, "watch-main")
	if *set.Spec.Replicas != 0 || len(set.Spec.Template.Spec.Containers[0].Env) != 0 || set.Spec.Template.Spec.ServiceAccountName != "default" {
		t.Errorf("%d replicas, %v, %s", *set.Spec.Replicas, set.Spec.Template.Spec.Containers[0].Env, set.Spec.Template.Spec.ServiceAccountName)
	}
}
