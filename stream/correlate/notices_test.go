package correlate

import (
	"reflect"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// People are alerted once of what weir has to say of itself, in the next tick, also after a
// restart in between; and nobody can have it be expected.
func TestNotice(t *testing.T) {
	d := newDesk(t)
	d.next(nil, nil, nil)
	n := &Notice{ID: episode.ID{Dimension: alerting.SettingsDimension, Identity: "weir 1"}, Fact: fact.SettingsChanged, Detail: map[string]string{"changed": "alerts.budget: 2 → 20", "run_by": "eve"}}
	kept := d.task.Notify(n)
	other := New(d.cfg)
	if err := other.Load(kept.Key, kept.Value); err != nil || !reflect.DeepEqual(other.notices.due, d.task.notices.due) {
		t.Errorf("%v; after a restart %+v, want %+v", err, other.notices.due, d.task.notices.due)
	}
	d.next(nil, nil, nil)
	a := d.latest(alerting.SettingsDimension, "weir 1")
	if a.Fact != fact.SettingsChanged || !reflect.DeepEqual(a.Detail, n.Detail) || a.Confidence != episode.Certain {
		t.Errorf("alerted of %+v", a)
	}
	d.restore()
	if found := d.next(nil, nil, nil); len(found.Alerts) != 0 {
		t.Errorf("alerted of %d once more", len(found.Alerts))
	}
	d.say(Verdict{ID: "1", Kind: Expected, DedupKey: a.DedupKey, Author: "kim", Reason: "r", Expires: a.Time + alerting.Time(time.Hour.Milliseconds())})
	if got := refusal(t, d.next(nil, nil, nil)); got != refusedOwn {
		t.Errorf("refused since %q", got)
	}
}
