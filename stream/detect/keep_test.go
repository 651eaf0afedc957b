package detect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
)

// tightDesk has a shard of one user, ann, in which bob is the next to come.
func tightDesk(t *testing.T) (d *desk, ann, bob string) {
	t.Helper()
	d = newDesk(t)
	d.detect.room = 1
	ann = "ann"
	at, _ := placeOf("\x00" + ann)
	for i := 0; bob == ""; i++ {
		name := fmt.Sprint("bob", i)
		if to, _ := placeOf("\x00" + name); to == at {
			bob = name
		}
	}
	return d, ann, bob
}

func (d *desk) reads(at int64, who string, n int) {
	ev := event.Event{Actor: who}
	for i := range n {
		ev.Records = append(ev.Records, fmt.Sprint(who, at, "/", i))
	}
	d.act(at, ev)
}

func (d *desk) isKept(who string) bool {
	return d.detect.people.known([]byte("\x00"+who)) != nil
}

// In a shard that is full those are kept who read most, what others do adds up until they
// weigh more, and whoever comes then is written at once and doubted for a week.
func TestFullShard(t *testing.T) {
	d, ann, bob := tightDesk(t)
	d.reads(0, ann, 20)
	d.until(10)
	for i := range int64(10) {
		d.reads(30+30*i, bob, 3)
		d.until(40 + 30*i)
		if weighs := 3*(i+1) > 20; d.isKept(bob) != weighs || d.isKept(ann) == weighs {
			t.Fatalf("bob has read %d records, ann 20: bob is kept %v, ann %v", 3*(i+1), d.isKept(bob), d.isKept(ann))
		}
		if d.isKept(bob) {
			break
		}
	}
	id := d.detect.people.known([]byte("\x00" + bob))
	if from := d.engine.Day(d.grid.BinOf(deskStart)) + doubtDays; !id.doubted() || int64(id.state.TrustedDay()) != from {
		t.Errorf("bob's first touches count from day %d, want %d", id.state.TrustedDay(), from)
	}
	if c := d.detect.context(id); c.FirstSeen != 0 || c.LastSeen == 0 {
		t.Errorf("bob is said to have been seen first at %d and last at %d", c.FirstSeen, c.LastSeen)
	}
	var written, dropped bool
	for _, c := range d.changes {
		name := strings.TrimPrefix(string(c.Key), "user\x00")
		written = written || name == bob && c.Value != nil
		dropped = dropped || name == ann && c.Value == nil
	}
	if !written || !dropped {
		t.Errorf("the state says that bob is there: %v, and ann is gone: %v", written, dropped)
	}
}
