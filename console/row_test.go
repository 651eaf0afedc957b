package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/consoletest"
	"github.com/weirhq/weir/console/model"
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
	f.Counted("user", "quiet", model.Bin{Start: consoletest.Now, Distinct: 7123, Usual: 3})
	b.Feed.Publish(f.Snapshot(), true)
	if w := b.get("/identity?dimension=user&name=quiet"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "7,123 customers") || !strings.Contains(w.Body.String(), "It had none") {
		t.Errorf("%d %s", w.Code, w.Body)
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
