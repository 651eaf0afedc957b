package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/weirhq/weir/console/access"
)

// BenchmarkPage measures the processor time of each page with 10,000 episodes, beside
// that of a mux that answers nothing: the first and only write of a page comes when it
// is made, so the ratio of the two is that of the times to the first byte, without the
// network.
func BenchmarkPage(b *testing.B) {
	s := newBench(b, 10_000, access.Admin)
	e := s.Feed.current.Load().Episodes()[0]
	bare := http.NewServeMux()
	bare.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	identity := "/identity?" + url.Values{"dimension": {e.Alert.Dimension}, "name": {e.Alert.Identity}}.Encode()
	for _, c := range []struct {
		name, path string
		handler    http.Handler
	}{
		{"bare mux", "/", bare}, {"triage", "/", s}, {"triage, filtered", "/?severity=high&q=agent-1", s}, {"episode", "/episodes/" + e.Key(), s},
		{"expected", "/expected", s}, {"identities", "/identities?q=agent", s}, {"identity", identity, s}, {"report", "/report", s}, {"health", "/health", s},
		{"API of triage", "/api/v1/episodes", s}, {"API of an episode", "/api/v1/episodes/" + e.Key(), s},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, c.path, http.NoBody)
				r.Host = "127.0.0.1"
				w := httptest.NewRecorder()
				if c.handler.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("%s: %d", c.path, w.Code)
				}
				s.log.Reset()
			}
		})
	}
}
