package deployment

import (
	"crypto/tls"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/webconfig"
	"github.com/weirhq/weir/stream/kafka/task"
)

// A change of a secret shows, by its place, and tells nothing of the secret.
func TestFingerprints(t *testing.T) {
	read := func(url string) *config.Config {
		c, err := config.Parse("weir.yaml", []byte("kafka: {sasl: {mechanism: plain, username: weir, password: S3CR3T}}\n"+
			"alerts: {destinations: [{name: chat, type: slack, url: "+url+"}, {name: out, type: stdout}]}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	h := event.FixedHasher()
	before, after := fingerprints(read("https://hooks.example/S3CR3T"), h), fingerprints(read("https://thief.example/S3CR3T"), h)
	const url, password = "config.Alerts.Destinations.chat.URL", "config.Kafka.SASL.Password"
	if got := slices.Sorted(maps.Keys(before)); !slices.Equal(got, []string{url, password}) {
		t.Errorf("fingerprints of %v", got)
	}
	if before[url] == after[url] || before[password] != after[password] {
		t.Errorf("before %v, after %v", before, after)
	}
	for _, text := range before {
		if strings.Contains(text, "S3CR3T") || len(text) != 16 {
			t.Errorf("a fingerprint is %q", text)
		}
	}
}

// A process says who runs it and whose file it has read, and what it does not know.
func TestRunner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.yaml")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	by := runner(c)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(by[task.ByRunner], "uid ") || !strings.HasSuffix(by[task.ByRunner], " on "+host) || !strings.HasPrefix(by["file"], path+", written 2") || by["not_known"] == "" {
		t.Errorf("it says %v", by)
	}
}

// The settings in force can be written whatever is set, also where what a web configuration
// holds cannot be.
func TestInForceWithTLS(t *testing.T) {
	c := config.Default()
	c.HTTP.WebConfigFile, c.HTTP.Web = "web.yaml", &webconfig.Config{TLS: &tls.Config{MinVersion: tls.VersionTLS12}}
	s, err := settings.New(c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := InForce(s, "test")
	if err != nil || !strings.Contains(string(b), `"WebConfigFile":"web.yaml"`) {
		t.Errorf("%v: %s", err, b)
	}
}
