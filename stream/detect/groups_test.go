package detect

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
)

func TestDefaultPeers(t *testing.T) {
	dims := func(fields ...string) (out []event.Dimension) {
		for i, f := range fields {
			out = append(out, event.Dimension{Name: fmt.Sprint("d", i), Fields: []string{f}})
		}
		return out
	}
	both := append(dims("actor", "client", "endpoint"), event.Dimension{Name: "both", Fields: []string{"actor", "endpoint"}})
	for _, c := range []struct {
		dims []event.Dimension
		want []int
	}{
		{event.DefaultDimensions(), []int{4, 4, 4, 4, 3}},
		{dims("actor", "endpoint"), []int{1, NoPeers}},
		{dims("actor", "key_id"), []int{NoPeers, NoPeers}},
		{both, []int{2, 2, 1, 1}},
	} {
		if got := DefaultPeers(c.dims); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.dims, got, c.want)
		}
	}
}

// TestPeersByWhatOneWorksWith: an identity's group is the endpoint that most of
// its events go through. A newcomer's is known at once, and others keep theirs
// when they do something else for an hour, also through a restore.
func TestPeersByWhatOneWorksWith(t *testing.T) {
	d := newDesk(t)
	group := func(name string) uint32 {
		id := d.detect.people.known(append([]byte{dimUser}, name...))
		if id == nil {
			t.Fatalf("nothing is known of %s", name)
		}
		return id.state.Group()
	}
	act := func(at int64, who, endpoint string, times int) {
		for i := range times {
			d.act(at, event.Event{Actor: who, Endpoint: endpoint, Client: "web", Records: []string{fmt.Sprint(endpoint, i)}})
		}
	}
	care, shop := score.GroupToken("GET /care"), score.GroupToken("GET /shop")
	act(0, "ann", "GET /shop", 1)
	d.until(10)
	if group("ann") != shop {
		t.Error("a newcomer has no peers after the first tick")
	}
	act(20, "ann", "GET /care", 3)
	d.until(70)
	if group("ann") != care {
		t.Error("what most events of the hour went through does not count")
	}
	for hour := range int64(5) {
		act(120+60*hour, "ann", "GET /care", 2)
		act(120+60*hour, "ann", "GET /shop", 1)
		d.until(180 + 60*hour)
	}
	act(480, "ann", "GET /shop", 9)
	d.until(540)
	if group("ann") != care {
		t.Error("one hour of something else outweighs six")
	}
	id := d.detect.people.known(append([]byte{dimUser}, "ann"...))
	back := newIdentity([]byte(id.key))
	if err := back.decode(d.grid, d.encode(id)); err != nil || back.state.Group() != care {
		t.Errorf("read back, the group is %d: %v", back.state.Group(), err)
	}
}
