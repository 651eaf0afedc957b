package exact

import (
	"reflect"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

func TestCounter(t *testing.T) {
	const hour = eventtime.Hour
	read := func(at int64, records ...string) event.Event {
		return event.Event{Time: at, Actor: "ana", Records: records}
	}
	gone := read(24*hour, "b")
	gone.Action = event.Delete
	report := event.Event{Time: 24 * hour, Action: event.Export, Actor: "ana", Rows: 500}
	log := []event.Event{
		read(0, "a", "b"), read(1, "a"), // first hour
		{Time: 2, Action: event.Login, Actor: "ana"},
		read(hour, "b", "c"), {Time: hour, Actor: "bob", Records: []string{"z"}}, // second
		gone, gone, report, // next day
	}
	next := func(ev *event.Event) bool {
		if len(log) == 0 {
			return false
		}
		*ev, log = log[0], log[1:]
		return true
	}
	var hours []int64
	var got []Row
	c := New(event.DefaultDimensions()[:1], nil)
	c.Run(next, func(h int64, rows []Row) {
		hours = append(hours, h)
		got = append(got, rows...)
	})
	type m = [NumMeasures]float64
	want := []Row{
		{0, "", Counts{Hour: m{2, 2, 0, 0}, Day: m{2, 2, 0, 0}, Pool: 2}},
		{0, "", Counts{Hour: m{2, 1, 0, 0}, Day: m{3, 3, 0, 0}, Pool: 4}},
		{1, "", Counts{Hour: m{1, 1, 0, 0}, Day: m{1, 1, 0, 0}, Pool: 4}},
		{0, "", Counts{Hour: m{1, 0, 500, 1}, Day: m{1, 0, 500, 1}, Seen: 3, Pool: 4}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("rows:\n%v\nwant\n%v", got, want)
	}
	if want := []int64{0, 1, 24}; !reflect.DeepEqual(hours, want) {
		t.Errorf("hours %v, want %v", hours, want)
	}
	if want := []Identity{{0, "ana"}, {0, "bob"}}; !reflect.DeepEqual(c.Names, want) {
		t.Errorf("names %v, want %v", c.Names, want)
	}
}
