package extract

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
)

// line is an event as the recounts below read it: by encoding/json alone.
type line struct {
	Time    time.Time `json:"time"`
	Action  string    `json:"action"`
	Session string    `json:"session"`
	Actor   string    `json:"actor"`
	KeyID   string    `json:"key_id"`
	Records []any     `json:"records"`
}

func (l *line) reads() bool {
	return len(l.Records) > 0 && l.Action != "login" && l.Action != "issue"
}

// linesOf parses a log.
func linesOf(t *testing.T, log string) (out []line) {
	t.Helper()
	for text := range strings.Lines(log) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// extracted runs an extraction of a choice and returns the ids that it lists, sorted.
func extracted(t *testing.T, log string, a *alerting.Alert, only Only) ([]string, error) {
	t.Helper()
	dir := t.TempDir()
	w := work{alert: a, log: filepath.Join(dir, "log"), ids: filepath.Join(dir, "ids"), only: only}
	if err := os.WriteFile(w.log, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.run(t.Context(), t); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(w.ids)
	if err != nil {
		t.Fatal(err)
	}
	ids := strings.Fields(string(b))
	slices.Sort(ids)
	return ids, nil
}

// distinct returns the records of the events that are wanted, each once, sorted.
func distinct(events []line, wanted func(*line) bool) []string {
	var ids []string
	for i := range events {
		if events[i].reads() && wanted(&events[i]) {
			for _, r := range events[i].Records {
				ids = append(ids, fmt.Sprint(r))
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// What is listed of forged tokens is what a count of the log without weir finds, and
// a small part of all that the key read.
func TestOnlyUnissued(t *testing.T) {
	log, a := keyLog(t)
	events := linesOf(t, string(log))
	issued := map[string]bool{}
	for i := range events {
		if l := &events[i]; l.Session != "" && (l.Action == "login" || l.Action == "issue") {
			issued[l.Session] = true
		}
	}
	first := events[0].Time
	adopted := map[string]bool{} // older than the log, perhaps
	for i := range events {
		if l := &events[i]; l.Time.Before(first.Add(24 * time.Hour)) {
			adopted[l.Session] = true
		}
	}
	want := distinct(events, func(l *line) bool {
		return l.KeyID == a.Identity && l.Time.Before(a.Time.Std()) && l.Session != "" && !issued[l.Session] && !adopted[l.Session]
	})
	got, err := extracted(t, string(log), a, Unissued)
	if err != nil || !slices.Equal(got, want) || len(want) < 20 {
		t.Errorf("%d customers (%v), want %d", len(got), err, len(want))
	}
	if all, err := extracted(t, string(log), a, All); err != nil || len(all) < len(want)+500 {
		t.Errorf("%d customers in all (%v), %d of them through forged tokens: the log is no test", len(all), err, len(want))
	}
}

// Tokens that were revoked count from then on, those that may be older than the log
// do not, and a log without logins is refused.
func TestOnlyUnissuedRules(t *testing.T) {
	event := func(hour int, action, session, record string) string {
		at := time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC).Format(time.RFC3339)
		text := fmt.Sprintf(`{"time":%q,"action":%q,"actor":"ana","key_id":"k1","session":%q`, at, action, session)
		if record != "" {
			text += fmt.Sprintf(`,"records":[%q]`, record)
		}
		return text + "}\n"
	}
	log := event(1, "login", "good", "") + event(2, "read", "old", "r1") + // older than the log
		event(30, "read", "good", "r2") + event(31, "read", "forged", "r3") + event(32, "read", "old", "r4") +
		event(33, "revoke", "good", "") + event(34, "read", "good", "r5") + event(35, "read", "late", "r6") + event(36, "issue", "late", "")
	a := &alerting.Alert{
		DedupKey: "weir-1", Dimension: "key", Identity: "k1", Time: alerting.Time(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC).UnixMilli()),
		Exposed: alerting.Exposed{Since: alerting.Time(time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC).UnixMilli())},
	}
	if got, err := extracted(t, log, a, Unissued); err != nil || fmt.Sprint(got) != "[r3 r5]" {
		t.Errorf("listed %v (%v), want [r3 r5]", got, err)
	}
	_, err := extracted(t, event(31, "read", "forged", "r3"), a, Unissued)
	if err == nil || !strings.Contains(err.Error(), "no login and no issue of a token") {
		t.Errorf("without logins: %v", err)
	}
}

// Beyond the usual is what the identity had not touched in the retention before the
// interval, as a count of the log without weir finds it.
func TestOnlyBeyond(t *testing.T) {
	log, a := keyLog(t)
	a.Exposed.Since = a.Time - 12*3600_000
	events := linesOf(t, string(log))
	known := distinct(events, func(l *line) bool { return l.KeyID == a.Identity && l.Time.Before(a.Exposed.Since.Std()) })
	want := distinct(events, func(l *line) bool {
		return l.KeyID == a.Identity && !l.Time.Before(a.Exposed.Since.Std()) && l.Time.Before(a.Time.Std())
	})
	all := len(want)
	want = slices.DeleteFunc(want, func(id string) bool { _, usual := slices.BinarySearch(known, id); return usual })
	got, err := extracted(t, string(log), a, Beyond)
	if err != nil || !slices.Equal(got, want) || len(want) == 0 || len(want) == all {
		t.Errorf("%d customers (%v), want %d of %d", len(got), err, len(want), all)
	}
}

// A part may be smaller than the estimate of the whole, and never larger than that
// allows.
func TestPartOfEstimate(t *testing.T) {
	x := alerting.Exposed{Records: 1000, Low: 980, High: 1020}
	part, whole := choice{only: Unissued}, choice{}
	if e := part.compare(12, &x); !e.Within || e.Least != 0 {
		t.Errorf("a part of 12: %+v", e)
	}
	if e := part.compare(1100, &x); e.Within {
		t.Errorf("a part of 1,100: %+v", e)
	}
	if e := whole.compare(12, &x); e.Within {
		t.Errorf("a whole of 12: %+v", e)
	}
}
