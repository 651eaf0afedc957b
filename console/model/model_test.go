package model

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream/correlate"
)

const hour = alerting.Time(3600_000)

// alert returns an alert of an identity, n hours after the first.
func alert(name string, n int, status alerting.Status) *alerting.Alert {
	a := alertingtest.Full()
	a.Dimension, a.Identity, a.Status = "user", name, status
	a.DedupKey = alerting.DedupKey("user", name, 1)
	a.Time += alerting.Time(n) * hour
	a.Exposed.Records = int64(100 * (n + 1))
	return a
}

func held(a *alerting.Alert, kind correlate.SuppressedKind, name string) *correlate.Suppressed {
	return &correlate.Suppressed{By: correlate.SuppressedBy{Kind: kind, Name: name, Owner: "data", Reason: "nightly"}, Alert: *a}
}

func verdict(key string, n int, kind correlate.VerdictKind) *correlate.Verdict {
	return &correlate.Verdict{ID: fmt.Sprint(key, n), Time: alerting.Time(n) * hour, Kind: kind, DedupKey: key, Author: fmt.Sprint("analyst", n), Reason: "looked"}
}

// A snapshot is the same whichever way the topics come interleaved, and however
// often snapshots are taken in between.
func TestOrderFree(t *testing.T) {
	var sent, kept, said []func(*Fold)
	for i := range 30 {
		name := fmt.Sprint("u", i%7)
		a := alert(name, i, alerting.Update)
		sent = append(sent, func(f *Fold) { f.Alert(a) })
		s := held(alert(name, i+40, alerting.Update), correlate.ByConfig, fmt.Sprint("rule", i%3))
		kept = append(kept, func(f *Fold) { f.Suppressed(s) })
		v := verdict(a.DedupKey, i, correlate.Acknowledged)
		said = append(said, func(f *Fold) { f.Verdict(v) })
	}
	var want string
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		f := NewFold()
		topics := [][]func(*Fold){sent, kept, said}
		for len(topics) > 0 {
			i := rnd.IntN(len(topics))
			topics[i][0](f)
			if topics[i] = topics[i][1:]; len(topics[i]) == 0 {
				topics = slices.Delete(topics, i, i+1)
			}
			if rnd.IntN(10) == 0 {
				f.Snapshot()
			}
		}
		got := text(t, f.Snapshot())
		if want == "" {
			want = got
		} else if got != want {
			t.Fatalf("seed %d: the snapshot differs:\n%s\n%s", seed, got, want)
		}
	}
}

func text(t *testing.T, s *Snapshot) string {
	t.Helper()
	b, err := json.Marshal(struct {
		E []*Episode
		H []Holder
	}{s.Episodes(), s.Holders()})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What comes later does not show in a snapshot that was taken before.
func TestSnapshotsDoNotChange(t *testing.T) {
	f := NewFold()
	for i := range 3 * MaxMessages {
		a := alert("kim", i, alerting.Update)
		f.Alert(a)
		f.Verdict(verdict(a.DedupKey, i, correlate.Acknowledged))
		before := f.Snapshot()
		was := text(t, before)
		f.Suppressed(held(alert("kim", i+1000, alerting.Update), correlate.ByVerdict, "v"))
		f.Verdict(verdict(a.DedupKey, 1000+i, correlate.Reopened))
		f.Snapshot()
		if now := text(t, before); now != was {
			t.Fatalf("after %d messages a snapshot has changed:\n%s\n%s", i, was, now)
		}
	}
}

// The course of one episode: what it is, who holds it, what people said.
func TestCourse(t *testing.T) {
	f := NewFold()
	a := alert("kim", 0, alerting.Open)
	f.Verdict(verdict(a.DedupKey, 1, correlate.Acknowledged)) // its topic is read before that of the alerts
	f.Alert(a)
	e := f.Snapshot().Episode(a.DedupKey)
	if e.State() != Open || e.Holder() != "analyst1" || e.FirstSent() != a.Time {
		t.Errorf("acknowledged: %s, held by %q, sent at %v", e.State(), e.Holder(), e.FirstSent())
	}
	v := verdict(a.DedupKey, 2, correlate.Expected)
	v.Expires = a.Time + 10*hour
	f.Verdict(v)
	f.Suppressed(held(alert("kim", 5, alerting.Update), correlate.ByVerdict, v.ID))
	s := f.Snapshot()
	if e = s.Episode(a.DedupKey); e.State() != Held || e.Holder() != "" || e.Verdict(s.Now()) == nil {
		t.Errorf("expected: %s, held by %q, verdict %v", e.State(), e.Holder(), e.Verdict(s.Now()))
	}
	f.Verdict(verdict(a.DedupKey, 3, correlate.Assigned))
	s = f.Snapshot()
	if e = s.Episode(a.DedupKey); e.Holder() != "analyst3" || e.Verdict(s.Now()).Kind != correlate.Expected {
		t.Errorf("assigned: held by %q, verdict %v", e.Holder(), e.Verdict(s.Now()))
	}
	f.Judged(a.Time + 11*hour)
	if s = f.Snapshot(); s.Episode(a.DedupKey).Verdict(s.Now()) != nil {
		t.Error("the verdict has expired, and holds")
	}
	f.Alert(alert("kim", 12, alerting.Close))
	if s = f.Snapshot(); s.Episode(a.DedupKey).State() != Closed {
		t.Errorf("closed: %s", s.Episode(a.DedupKey).State())
	}
}

// A log that is read again after a reset adds nothing.
func TestRepeats(t *testing.T) {
	f := NewFold()
	for range 2 {
		f.Alert(alert("kim", 0, alerting.Open))
		f.Suppressed(held(alert("kim", 0, alerting.Open), correlate.ByConfig, "r"))
		f.Suppressed(held(alert("kim", 1, alerting.Update), correlate.ByConfig, "r"))
	}
	s := f.Snapshot()
	e := s.Episodes()[0]
	if len(e.Messages) != 2 || e.Messages[0].HeldBy != nil || e.Messages[1].HeldBy == nil {
		t.Errorf("messages %+v", e.Messages)
	}
	if h := s.Holders(); len(h) != 1 || h[0].Messages != 1 || h[0].Episodes != 1 {
		t.Errorf("held back: %+v", h)
	}
}

// The first and the latest messages are kept; the first tells when it opened.
func TestBounds(t *testing.T) {
	f := NewFold()
	f.limit = 10
	for i := range 2 * MaxMessages {
		f.Alert(alert("kim", i, alerting.Update))
	}
	e := f.Snapshot().Episodes()[0]
	if len(e.Messages) != MaxMessages || e.LeftOut != MaxMessages || e.Opened() != alert("kim", 0, alerting.Open).Time || e.Latest().Time != e.Alert.Time {
		t.Errorf("%d messages, %d left out, opened %v", len(e.Messages), e.LeftOut, e.Opened())
	}
	for i := range 50 {
		status := alerting.Close
		if i < 5 {
			status = alerting.Open
		}
		f.Alert(alert(fmt.Sprint("u", i), 1000+i, status))
	}
	s := f.Snapshot()
	open := s.Select(Filter{State: Open})
	if len(s.Episodes()) != 10 || len(open) != 6 || s.Gone != 41 {
		t.Errorf("%d episodes, %d open, %d gone", len(s.Episodes()), len(open), s.Gone)
	}
	if f.Alert(alert("u7", 1000, alerting.Close)); len(f.Snapshot().Episodes()) != 10 {
		t.Error("what was left out came back")
	}
}

// Filters choose, and orders order.
func TestSelect(t *testing.T) {
	f := NewFold()
	for i, name := range []string{"Ana", "bob", "carl"} {
		a := alert(name, i, alerting.Open)
		a.Severity = []episode.Severity{episode.Low, episode.Critical, episode.High}[i]
		f.Alert(a)
	}
	f.Verdict(verdict(alert("bob", 0, "").DedupKey, 1, correlate.Confirmed))
	s := f.Snapshot()
	for _, c := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, "[bob carl Ana]"},
		{Filter{Sort: ByNewest}, "[carl bob Ana]"},
		{Filter{Sort: ByExposed}, "[carl bob Ana]"},
		{Filter{Severity: episode.High}, "[bob carl]"},
		{Filter{Text: " aN"}, "[Ana]"},
		{Filter{Text: s.Episodes()[0].Key()}, "[bob]"},
		{Filter{Verdict: "confirmed"}, "[bob]"},
		{Filter{Verdict: NoVerdict}, "[carl Ana]"},
		{Filter{Holder: "analyst1"}, "[bob]"},
		{Filter{Holder: Nobody}, "[carl Ana]"},
		{Filter{State: Held}, "[]"},
		{Filter{Dimension: "key"}, "[]"},
		{Filter{Measure: "distinct", State: All}, "[bob carl Ana]"},
	} {
		got := []string{}
		for _, e := range s.Select(c.filter) {
			got = append(got, e.Alert.Identity)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%+v: %v, want %s", c.filter, got, c.want)
		}
	}
	if got := s.Search("A"); len(got) != 2 || got[0].Open != 1 {
		t.Errorf("search: %+v", got)
	}
}

// The memory of the largest picture, each episode with three messages, stays
// below what docs/console.md states.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("fills the picture")
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	f := NewFold()
	for i := range MaxEpisodes {
		for n := range 3 {
			line := alert(fmt.Sprint("user-", i, "@corp.example"), n, alerting.Update).AppendJSON(nil)
			a, err := alerting.ParseAlert(line)
			if err != nil {
				t.Fatal(err)
			}
			f.Alert(a)
		}
	}
	s := f.Snapshot()
	used := (heap() - before) >> 20
	t.Logf("%d episodes of three messages: %d MiB", len(s.Episodes()), used)
	if used > 400 {
		t.Errorf("%d MiB, docs/console.md says 400", used)
	}
	runtime.KeepAlive(f)
}

// A message has what was counted in the interval that made the case, not what was
// counted since the onset: columns of both in one picture would mean different things.
func TestCountOfInterval(t *testing.T) {
	a := alert("kim", 5, alerting.Open)
	a.Measure, a.Observed, a.Expected = "distinct", 900, 100
	a.Evidence.Measures = []alerting.MeasureEvidence{{Measure: "rows", Observed: 5}, {Measure: "distinct", From: a.Time - 3*hour, Observed: 40, Expected: 8}}
	f := NewFold()
	f.Alert(a)
	if m := f.Snapshot().Episode(a.DedupKey).Latest(); m.From != a.Time-3*hour || m.Observed != 40 || m.Expected != 8 {
		t.Errorf("%v: %v where %v are usual", m.From, m.Observed, m.Expected)
	}
}

// Of an hour the largest count is kept, in whatever order they come, and what was new of it; of an identity a week
// of hours, of identities those that stood out last; and a snapshot keeps what it had.
func TestWeek(t *testing.T) {
	f := NewFold()
	one := func(start alerting.Time, distinct, first float32) *Bin {
		return &Bin{Start: start, Distinct: Measured{Counted: distinct, Usual: 3}, FirstTouch: Measured{Counted: first}}
	}
	hours := []*Bin{one(2*hour, 7, 5), one(hour, 1, 0), one(2*hour, 9, 4), one(2*hour, 8, 0)}
	for i, h := range hours {
		f.Counted("user", "ana", h, &Bin{Start: alerting.Time(i/3) * 24 * hour, Rows: Measured{Counted: 6}})
	}
	before := f.Snapshot()
	want := Watched{[]Bin{*hours[1], *one(2*hour, 9, 4)}, []Bin{{Start: 24 * hour, Rows: Measured{Counted: 6}}}}
	if got := before.Week("user", "ana"); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i := range alerting.Time(3 * MaxBins) {
		f.Counted("user", "ana", one(i*hour, 20, 20), &Bin{Start: (i/24 + 1) * 24 * hour})
	}
	if got := f.Snapshot().Week("user", "ana"); len(got.Hours) != MaxBins || got.Hours[0].Start != 2*MaxBins*hour || len(got.Days) != MaxDays {
		t.Errorf("%d hours are kept, from %d on, and %d days", len(got.Hours), got.Hours[0].Start, len(got.Days))
	}
	if got := before.Week("user", "ana"); !reflect.DeepEqual(got, want) {
		t.Errorf("a snapshot has changed: %+v", got)
	}
	f.watchLimit = 50
	for i := range 100 {
		f.Counted("user", fmt.Sprint(i), one(alerting.Time(10000+i)*hour, 1, 0), &Bin{})
	}
	s := f.Snapshot()
	if len(s.weeks) != 50 || s.Week("user", "ana").Hours != nil || s.Week("user", "99").Hours == nil {
		t.Errorf("%d identities are kept", len(s.weeks))
	}
}
