package eventsort

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/weirhq/weir/event"
)

// However little fits into memory, all events come back, whole, in order of time, and
// those of one time in the order in which they came; also when they are read again.
func TestSorter(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	var events []*event.Event
	for i := range 5000 {
		events = append(events, &event.Event{
			Time: event.MinTime + dice.Int64N(500), ID: fmt.Sprint(i), Action: event.Export, Notes: 3, SomeKeys: i%2 == 0,
			Actor: "ana", Role: "r", Subject: "s", KeyID: "k", Session: "t", IP: "192.0.2.7", Client: "c", Endpoint: "e",
			Records: []string{"a", "", "b"}[:dice.IntN(3)], Rows: dice.Int64N(3),
		})
	}
	want := slices.Clone(events)
	slices.SortStableFunc(want, byTime)
	for _, limits := range []Limits{{20_000, 2}, {20_000, 30}, {200_000, 100}, DefaultLimits} {
		s := New(limits)
		for _, ev := range events {
			if err := s.Add(ev); err != nil {
				t.Fatal(err)
			}
		}
		if most := limits.Runs + 1; len(s.runs) > most || limits.Bytes < 1e6 && len(s.runs) == 0 {
			t.Errorf("%+v: %d runs", limits, len(s.runs))
		}
		for range 2 {
			m, err := s.Read()
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want {
				got, err := m.Next()
				if err != nil {
					t.Fatal(err)
				}
				if len(w.Records) == 0 {
					got.Records = w.Records // none and nil are the same
				}
				if !reflect.DeepEqual(got, w) {
					t.Fatalf("%+v: event %d is %+v, want %+v", limits, i, got, w)
				}
			}
			if _, err := m.Next(); err != io.EOF {
				t.Errorf("%+v: after the last: %v", limits, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Nothing is left in the directory of temporary files, which must be there.
func TestTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := New(Limits{1, 2})
	if err := s.Add(&event.Event{}); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	t.Setenv("TMPDIR", dir+"/none")
	if err := New(Limits{1, 2}).Add(&event.Event{}); err == nil {
		t.Error("nothing is said of a directory that is not there")
	}
}
