package console

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/consoletest"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/stream/correlate"
)

// A course is in one unit: records, unless no message tells of any.
func TestExposureUnit(t *testing.T) {
	message := func(records, rows int64) model.Message {
		return model.Message{Time: 9, Exposed: alerting.Exposed{Since: 9, Records: records, High: records, Rows: rows}}
	}
	for _, c := range []struct {
		messages []model.Message
		want     float64 // of the first
	}{
		{[]model.Message{message(0, 3000), message(272, 3000)}, 0},
		{[]model.Message{message(0, 3000), message(0, 4000)}, 3000},
		{[]model.Message{message(5, 3000)}, 5},
	} {
		if got := exposure(c.messages)[0].Value; got != c.want {
			t.Errorf("the course of %+v begins at %v, want %v", c.messages, got, c.want)
		}
	}
}

// Of whom something stood out the week is shown, also without an episode.
func TestIdentityWithoutEpisode(t *testing.T) {
	b := newBench(t, 1, access.Viewer)
	f := consoletest.Fold(1)
	f.Counted("user", "quiet", &model.Bin{Start: consoletest.Now, Distinct: model.Measured{Counted: 7123, Usual: 3}}, &model.Bin{Start: consoletest.Now, Distinct: model.Measured{Counted: 8123, Usual: 31}})
	f.Peers(map[model.Group]model.Level{{Dimension: "user"}: {Distinct: 27}})
	b.Feed.Publish(f.Snapshot(), true)
	w := b.get("/identity?dimension=user&name=quiet")
	for _, want := range []string{"7,123 customers", "8,123 customers", "On a day with work it usually reads about 31 customers. All of its dimension are expected to read about 27 each.", "It had none"} {
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d, without %q: %s", w.Code, want, w.Body)
		}
	}
}

// A row draws the days on which its identity stood out against the usual, says so in words,
// and its JSON has the same numbers.
func TestRowDays(t *testing.T) {
	b := newBench(t, 1, access.Viewer)
	f := consoletest.Fold(1)
	e := f.Snapshot().Episodes()[0]
	day := consoletest.Now - 23*60*60*1000 // the day's first moment
	for _, ago := range []alerting.Time{0, 14} {
		start := day - ago*24*60*60*1000
		f.Counted(e.Alert.Dimension, e.Alert.Identity, &model.Bin{Start: start}, &model.Bin{Start: start, Distinct: model.Measured{Counted: 7777, Usual: 90, Spread: 20}})
	}
	b.Feed.Publish(f.Snapshot(), true)
	page, list := b.get("/?state=all").Body.String(), b.get("/api/v1/episodes?state=all").Body.String()
	if want := "Tue 3 Mar: 7,777 customers, usual 50 to 130"; !strings.Contains(page, want) || strings.Contains(page, "Tue 17 Feb: 7,777") {
		t.Errorf("no %q, or a day that is too old: %s", want, page)
	}
	if want := `"distinct":{"counted":7777,"usual":90,"spread":20}`; strings.Count(list, want) != 1 {
		t.Errorf("no %s, or more of them, in %s", want, list)
	}
}

// The page, the list and the API show no count of a fact that rests on none.
func TestFactShowsNoCount(t *testing.T) {
	b := newBench(t, 12, access.Viewer)
	nothing := regexp.MustCompile(`(?i)<dt>Counted|"?(observed|expected)"?\W{1,6}0(\.0)?\b|\b0 distinct|none is usual`)
	facts := 0
	for _, e := range b.Feed.current.Load().Episodes() {
		if e.Alert.Kind != alerting.KindFact {
			continue
		}
		facts++
		for _, path := range []string{"/episodes/" + e.Key(), "/", "/api/v1/episodes/" + e.Key()} {
			if found := nothing.FindString(b.get(path).Body.String()); found != "" {
				t.Errorf("%s shows %q", path, found)
			}
		}
	}
	if facts == 0 {
		t.Error("there is no fact")
	}
}

// The picture of the fleet counts every episode that it has no room for.
func TestLanesCountAll(t *testing.T) {
	b, f := newBench(t, 0, access.Viewer), model.NewFold()
	for i := range laneSpans + 30 {
		a := alertingtest.Full()
		a.Dimension, a.DedupKey, a.Time, a.Onset = "user", fmt.Sprint("weir-", i), consoletest.Now, consoletest.Now-9
		f.Alert(a)
	}
	if p := string(b.lanesOf(f.Snapshot().Episodes(), nil, consoletest.Now, laneDays)); !strings.Contains(p, "and 226 more") {
		t.Errorf("230 episodes, four of which are drawn: %s", p[len(p)-300:])
	}
}

// What the filter does not choose is drawn paler behind what it does, where there is room.
func TestLanesShowOthers(t *testing.T) {
	b := newBench(t, 60, access.Viewer)
	page := b.get("/?dimension=user").Body.String()
	_, lanes, _ := strings.Cut(page, `<div class="lanes">`)
	lanes, _, _ = strings.Cut(lanes, "</div>")
	if !strings.Contains(lanes, ">key</text>") || !strings.Contains(lanes, ` other"`) {
		t.Errorf("the rest is not to be seen: %s", lanes)
	}
	for _, r := range regexp.MustCompile(`<rect class="span [^>]*><title>[^<]*`).FindAllString(lanes, -1) {
		if user := strings.Contains(r, ">agent-") || strings.Contains(r, "김민지"); !user && !strings.Contains(r, " other") {
			t.Errorf("%s: the filter chooses users", r)
		}
	}
}

// An episode shows the hours from its onset on, of the measure that it rests on; where none
// are kept, the intervals of its messages.
func TestEpisodeHours(t *testing.T) {
	const hour = alerting.Time(3_600_000)
	a := alertingtest.Full()
	a.Measure, a.Time, a.Onset, a.OnsetEarliest, a.OnsetLatest = "rows_in_bin", consoletest.Now, consoletest.Now-4*hour, 0, 0
	f := model.NewFold()
	f.Alert(a)
	for ago := range alerting.Time(9) {
		f.Counted(a.Dimension, a.Identity, &model.Bin{Start: consoletest.Now - ago*hour, Rows: model.Measured{Counted: 4000 + float32(ago), Usual: 20, Spread: 5}, Distinct: model.Measured{Counted: 7}}, &model.Bin{})
	}
	b := newBench(t, 0, access.Viewer)
	for _, c := range []struct {
		measure    string
		has, lacks []string
	}{
		{"rows_in_bin", []string{"Hour by hour", ": 4,004, usual 20", "usualband", "rows in the hour"}, []string{": 4,005"}},
		{"distinct", []string{"distinct customers in the hour", ": 7, usual 0"}, []string{"4,00"}},
	} {
		m := *a
		m.Measure = c.measure
		f.Alert(&m)
		b.Feed.Publish(f.Snapshot(), true)
		_, page, _ := strings.Cut(b.get("/episodes/"+a.DedupKey).Body.String(), `<h2 id="counts">`)
		page, _, _ = strings.Cut(page, "</section>")
		for _, want := range c.has {
			if !strings.Contains(page, want) {
				t.Errorf("%s: without %q: %s", c.measure, want, page)
			}
		}
		for _, not := range c.lacks {
			if strings.Contains(page, not) {
				t.Errorf("%s: with %q", c.measure, not)
			}
		}
	}
}

// The page says of when an episode began what its sentence says.
func TestBegan(t *testing.T) {
	b := newBench(t, 9, access.Viewer)
	for _, e := range b.Feed.current.Load().Episodes() {
		from, to, vague := e.Alert.Began()
		page := b.get("/episodes/" + e.Key()).Body.String()
		_, card, _ := strings.Cut(page, "<dt>Began</dt>")
		card, _, _ = strings.Cut(card, "</div>")
		if vague && (!strings.Contains(card, b.local(from)) || !strings.Contains(card, b.local(to))) {
			t.Errorf("it began between %s and %s; the page: %s", b.local(from), b.local(to), card)
		}
	}
}

// The page of an identity has half a year of its episodes and what people said of them, and
// the peers who had one.
func TestIdentityBesideItsPeers(t *testing.T) {
	b, f := newBench(t, 0, access.Viewer), model.NewFold()
	const day = 24 * 3_600_000
	for i, c := range []struct {
		name, group string
		ago         alerting.Time // days
		status      alerting.Status
		kind        correlate.VerdictKind
	}{
		{"kim", "user:crm", 1, alerting.Open, ""}, {"kim", "user:crm", 100, alerting.Close, correlate.Confirmed}, {"kim", "user:crm", 101, alerting.Close, correlate.Expected},
		{"kim", "user:crm", 200, alerting.Close, correlate.Confirmed}, {"lee", "user:crm", 3, alerting.Open, ""}, {"pat", "user:crm", 179, alerting.Close, ""},
		{"old", "user:crm", 181, alerting.Close, ""}, {"joe", "user:bi", 1, alerting.Open, ""},
	} {
		a := alertingtest.Full()
		a.Dimension, a.Identity, a.Status, a.Evidence.Peers = "user", c.name, c.status, c.group
		a.DedupKey, a.Time, a.Onset = fmt.Sprint("weir-", i), consoletest.Now-c.ago*day, consoletest.Now-c.ago*day-9
		f.Alert(a)
		if c.kind != "" {
			f.Verdict(&correlate.Verdict{ID: a.DedupKey, Kind: c.kind, DedupKey: a.DedupKey, Author: "ana", Reason: "r", Expires: a.Time + 9})
		}
	}
	f.Judged(consoletest.Now)
	b.Feed.Publish(f.Snapshot(), true)
	page := b.get("/identity?dimension=user&name=kim").Body.String()
	if !strings.Contains(page, "Episodes: 3; true positives: 1; expected: 1; without such a verdict: 1.") {
		t.Error("the page does not say what people said of three episodes")
	}
	_, peers, _ := strings.Cut(page, "Its peers")
	if peers, _, _ = strings.Cut(peers, "</p>"); !strings.Contains(peers, ">lee</a> (1 open), ") || !strings.Contains(peers, ">pat</a> (over).") || strings.Contains(peers, "old") || strings.Contains(peers, "joe") || strings.Contains(peers, "kim") {
		t.Errorf("peers: %s", peers)
	}
}
