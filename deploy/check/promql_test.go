package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"

	"github.com/weirhq/weir/internal/deployment"
	"github.com/weirhq/weir/stream/kafka/metrics"
)

// family is a metric that weir exposes.
type family struct {
	labels []string
	rises  bool // a counter or a part of a histogram, of which only changes mean something
}

var description = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// exposed returns weir's metrics by name.
func exposed(t *testing.T) map[string]family {
	t.Helper()
	registry := deployment.NewRegistry()
	metrics.New(registry).Committed("detect", time.Now()) // so that the histogram has a series
	all := make(chan *prometheus.Desc, 1000)
	registry.Describe(all)
	close(all)
	out := map[string]family{}
	for d := range all {
		m := description.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("%s is not understood", d)
		}
		f := family{rises: strings.HasSuffix(m[1], "_total")}
		if m[2] != "" {
			f.labels = strings.Split(m[2], ",")
		}
		out[m[1]] = f
	}
	gathered, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gathered {
		if g.GetType().String() != "HISTOGRAM" {
			continue
		}
		base := out[g.GetName()]
		delete(out, g.GetName())
		out[g.GetName()+"_bucket"] = family{append(slices.Clone(base.labels), "le"), true}
		out[g.GetName()+"_sum"], out[g.GetName()+"_count"] = family{base.labels, true}, family{base.labels, true}
	}
	return out
}

// added are the labels that Prometheus adds to every series.
var added = []string{"job", "instance"}

// checkQuery says what is wrong with a query: that it is none, that weir has no
// such metric, that the metric has no such label, or that a counter is shown as
// it stands. used collects the metrics that it names.
func checkQuery(query string, have map[string]family, used map[string]bool) error {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(query, "$__rate_interval", "5m"))
	if err != nil {
		return err
	}
	var faults []string
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			f, ok := have[n.Name]
			if !ok {
				faults = append(faults, "weir has no metric "+n.Name)
				return nil
			}
			used[n.Name] = true
			for _, m := range n.LabelMatchers {
				if m.Name != labels.MetricName && !slices.Contains(append(slices.Clone(added), f.labels...), m.Name) {
					faults = append(faults, fmt.Sprintf("%s has no label %s", n.Name, m.Name))
				}
			}
			if f.rises && !judgedByChange(path) {
				faults = append(faults, n.Name+" only ever grows; want rate or increase")
			}
		case *parser.AggregateExpr:
			if fault := checkGrouping(n, have); fault != "" {
				faults = append(faults, fault)
			}
		}
		return nil
	})
	if faults != nil {
		return fmt.Errorf("%s", strings.Join(faults, "; "))
	}
	return nil
}

// judgedByChange reports whether a selector below these nodes goes over a range,
// or is one side of "x unless x offset …", by which rules find counters that have
// begun.
func judgedByChange(path []parser.Node) bool {
	return slices.ContainsFunc(path, func(n parser.Node) bool {
		_, over := n.(*parser.MatrixSelector)
		b, ok := n.(*parser.BinaryExpr)
		return over || ok && b.Op == parser.LUNLESS
	})
}

// checkGrouping says which labels a sum is made by that what is summed lacks.
func checkGrouping(a *parser.AggregateExpr, have map[string]family) (fault string) {
	parser.Inspect(a.Expr, func(node parser.Node, _ []parser.Node) error {
		if v, ok := node.(*parser.VectorSelector); ok {
			for _, l := range a.Grouping {
				if !slices.Contains(append(slices.Clone(added), have[v.Name].labels...), l) {
					fault = fmt.Sprintf("%s has no label %s to group by", v.Name, l)
				}
			}
		}
		return nil
	})
	return fault
}

// panel is a panel of a dashboard.
type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct{ Expr, LegendFormat string }
	FieldConfig struct{ Defaults struct{ Unit string } }
}

type dashboard struct {
	Panels      []panel
	Annotations struct{ List []struct{ Expr string } }
	Templating  struct {
		List []struct {
			Name  string
			Query any
		}
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	raw, err := os.ReadFile("../grafana/weir.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

type rule struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func readRules(t *testing.T) (rules []rule) {
	t.Helper()
	raw, err := os.ReadFile("../prometheus/weir.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	for _, g := range f.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules
}

// Every query of dashboard and rules asks for what weir has.
func TestQueries(t *testing.T) {
	have, used := exposed(t), map[string]bool{}
	n := 0
	check := func(where, query string) {
		n++
		if err := checkQuery(query, have, used); err != nil {
			t.Errorf("%s: %s: %v", where, query, err)
		}
	}
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			check("panel "+p.Title, target.Expr)
			if err := checkLegend(target.LegendFormat, target.Expr); err != nil {
				t.Errorf("panel %s: %v", p.Title, err)
			}
		}
	}
	for _, a := range d.Annotations.List {
		check("annotations", a.Expr)
	}
	for _, r := range readRules(t) {
		check("rule "+r.Alert, r.Expr)
	}
	if n < 50 {
		t.Errorf("%d queries were found", n)
	}
	// The dashboard shows all that weir tells, but what is told in logs too.
	for _, name := range slices.Sorted(maps.Keys(have)) {
		left := []string{"weir_commit_seconds_sum", "weir_commit_seconds_count", "weir_facts_total", "weir_tokens_looked_at", "weir_unknown_dimension_records", "weir_ledger_records"}
		if strings.HasPrefix(name, "weir_") && !used[name] && !slices.Contains(left, name) {
			t.Errorf("%s stands on no panel and in no rule", name)
		}
	}
}

var placeholder = regexp.MustCompile(`\{\{(\w+)\}\}`)

// checkLegend reports a label in a legend that the query does not keep.
func checkLegend(legend, query string) error {
	for _, m := range placeholder.FindAllStringSubmatch(legend, -1) {
		if by := "by ("; strings.Contains(query, by) && !regexp.MustCompile(`by \([^)]*\b`+m[1]+`\b`).MatchString(query) {
			return fmt.Errorf("the legend names %s, by which %s is not grouped", m[1], query)
		}
	}
	return nil
}

// The check of queries finds what it is there for.
func TestQueriesCanBeWrong(t *testing.T) {
	have := exposed(t)
	for query, want := range map[string]string{
		`sum(weir_events_total`:                            "unclosed",
		`sum(weir_event_total)`:                            "no metric weir_event_total",
		`weir_open_episodes{dimension="user"}`:             "no label dimension",
		`sum by (topics) (rate(weir_events_total[5m]))`:    "no label topics to group by",
		`sum by (topic) (weir_events_total)`:               "only ever grows",
		`rate(weir_commit_seconds_bucket{stages="x"}[5m])`: "no label stages",
	} {
		if err := checkQuery(query, have, map[string]bool{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}

// Panels say what they show, in what unit, and lie beside each other.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: id %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		if g := p.GridPos; g.X < 0 || g.X+g.W > 24 || g.W < 1 || g.H < 1 {
			t.Errorf("%s lies at %+v", p.Title, g)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%s lies on %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || p.Description == "" || len(p.Targets) == 0 || p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("%q lacks a title, a description, a query or a unit", p.Title)
		}
		for _, target := range p.Targets {
			if !strings.Contains(target.Expr, `job=~"$job"`) {
				t.Errorf("%s: %s does not go by the deployment that is chosen", p.Title, target.Expr)
			}
		}
	}
}

// A rule says what it is, how grave, what to do, and where more is written.
func TestRules(t *testing.T) {
	raw, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := readRules(t)
	for _, r := range rules {
		if r.Labels["severity"] != "critical" && r.Labels["severity"] != "warning" {
			t.Errorf("%s: the severity is %q", r.Alert, r.Labels["severity"])
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s says too little", r.Alert)
		}
		if want := "docs/operations.md#" + strings.ToLower(r.Alert); !strings.HasSuffix(r.Annotations["runbook_url"], want) {
			t.Errorf("%s: the runbook is %s, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
		if !strings.Contains(string(raw), "\n#### "+r.Alert+"\n") {
			t.Errorf("docs/operations.md has no section %s", r.Alert)
		}
	}
	if len(rules) == 0 {
		t.Error("there are no rules")
	}
}
