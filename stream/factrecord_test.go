package stream

import (
	"reflect"
	"testing"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/wire"
)

// TestFactRecords: lifecycle events are the same after the way to detect.
func TestFactRecords(t *testing.T) {
	want := []FactRecord{
		{LifecycleEvent: fact.LifecycleEvent{Action: event.Leave, Time: -5, Actor: "hr", Subject: "bob"}, Apply: 7},
		{LifecycleEvent: fact.LifecycleEvent{Action: event.Issue, Time: 1, Subject: "k1", KeyID: "k1", SomeKeys: true}, Apply: 8},
		{LifecycleEvent: fact.LifecycleEvent{Action: event.Issue, KeyID: "k2"}},
	}
	r := wire.NewReader(appendFacts(nil, want))
	got := readFacts(&r)
	if err := r.End(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
