package console

import (
	"net/http"
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
