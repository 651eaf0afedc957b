package console

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/consoletest"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
)

// sampleEvent is an event of the usual size and shape.
const sampleEvent = `{"time":"2026-03-01T09:15:27.123Z","id":"01HV3Z5J2K9Q","action":"read","actor":"alice.kim","key_id":"key-2025-11","session":"tok-8f3a9b2c","ip":"10.20.30.40","client":"crm-web/4.2.1","endpoint":"GET /customers","records":["c104733"]}`

// BenchmarkPage measures each page with 10,000 episodes and as many identities of which
// hours are kept as there can be, were there a million, as a client on this machine gets it. first-byte/mux is the time to the first
// byte as a multiple of that of a mux that answers nothing. events is the processor time,
// client and server together, as a number of decoded events: at most 20,000 are wanted.
func BenchmarkPage(b *testing.B) {
	f := consoletest.Fold(10_000)
	for i := range model.MaxWatched {
		hour := consoletest.Now - alerting.Time(model.MaxWatched-i)
		f.Counted("user", fmt.Sprint("agent-", i), &model.Bin{Start: hour, Distinct: model.Measured{Counted: 40, Usual: 9, Spread: 2}}, &model.Bin{Start: hour, Distinct: model.Measured{Counted: 70, Usual: 20, Spread: 4}})
	}
	s := newBench(b, 0, access.Admin)
	s.Feed.Publish(f.Snapshot(), true)
	e := s.Feed.current.Load().Episodes()[0]
	bare := http.NewServeMux()
	bare.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	identity := "/identity?" + url.Values{"dimension": {e.Alert.Dimension}, "name": {e.Alert.Identity}}.Encode()

	var decoded, first time.Duration
	b.Run("decoded event", func(b *testing.B) { decoded = benchmarkEvent(b) })
	for _, c := range []struct {
		name, path string
		handler    http.Handler
	}{
		{"bare mux", "/", bare}, {"triage", "/", s}, {"triage of all", "/?state=all", s}, {"triage, filtered", "/?severity=high&q=agent-1", s}, {"episode", "/episodes/" + e.Key(), s},
		{"expected", "/expected", s}, {"identities", "/identities?q=agent", s}, {"identity", identity, s}, {"report", "/report", s}, {"health", "/health", s},
		{"API of triage", "/api/v1/episodes", s}, {"API of an episode", "/api/v1/episodes/" + e.Key(), s},
	} {
		b.Run(c.name, func(b *testing.B) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			var wait time.Duration
			began := cpuTime(b)
			for b.Loop() {
				wait += get(b, server.URL+c.path)
				s.log.Reset()
			}
			cpu := (cpuTime(b) - began) / time.Duration(b.N)
			wait /= time.Duration(b.N)
			if c.handler == http.Handler(bare) {
				first = wait
			}
			b.ReportMetric(float64(wait)/float64(max(first, 1)), "first-byte/mux")
			b.ReportMetric(float64(cpu)/float64(max(decoded, 1)), "events")
		})
	}
}

// benchmarkEvent returns the processor time of decoding an event.
func benchmarkEvent(b *testing.B) time.Duration {
	format, ok, err := fieldmap.Preset("native")
	if err != nil || !ok {
		b.Fatal(ok, err)
	}
	d, value := format.NewDecoder(), []byte(sampleEvent)
	yield := func(_ *event.Event, rej *event.Reject) {
		if rej != nil {
			b.Fatal(rej.Reason)
		}
	}
	const events = 100_000 // in one operation, so that few of them tell
	began := cpuTime(b)
	for b.Loop() {
		for range events {
			d.Decode(value, yield)
		}
	}
	return (cpuTime(b) - began) / time.Duration(b.N) / events
}

// get reads a page and returns how long its first byte took.
func get(b *testing.B, address string) (wait time.Duration) {
	var asked time.Time
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(b.Context(), &httptrace.ClientTrace{
		WroteRequest:         func(httptrace.WroteRequestInfo) { asked = time.Now() },
		GotFirstResponseByte: func() { wait = time.Since(asked) },
	}), http.MethodGet, address, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d, %v", address, answer.StatusCode, err)
	}
	return wait
}

// cpuTime returns the user and system time of this process.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
