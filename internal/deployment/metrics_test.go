package deployment

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/stream/kafka/metrics"
)

// What others have set up on weir's metrics breaks when one is renamed: dashboard,
// rules and docs name only those that there are, and docs name them all.
// deploy/check looks at the queries themselves.
func TestMetricsAreNamedAsTheyAre(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics.New(registry)
	all := make(chan *prometheus.Desc, 1000)
	registry.Describe(all)
	close(all)
	have := map[string]bool{}
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	for d := range all {
		have[name.FindStringSubmatch(d.String())[1]] = true
	}
	named := regexp.MustCompile(`\bweir_[a-z_]*[a-z]\b`)
	for _, file := range []string{"../../deploy/grafana/weir.json", "../../deploy/prometheus/weir.rules.yaml", "../../docs/operations.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range named.FindAllString(string(text), -1) {
			m = strings.TrimSuffix(m, "_bucket")
			seen[m] = true
			if !have[m] && m != "weir_kafka" {
				t.Errorf("%s names %s, which weir does not have", file, m)
			}
		}
		if len(seen) < 5 {
			t.Errorf("%s names %d metrics", file, len(seen))
		}
		for _, m := range slices.Sorted(maps.Keys(have)) {
			if strings.HasSuffix(file, ".md") && !seen[m] {
				t.Errorf("%s does not name %s", file, m)
			}
		}
	}
}
