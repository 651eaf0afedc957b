package deliver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// outbox is what is known of the way of the alerts to one destination: which
// are done, and what the receiver calls the message of each episode. It stands
// in the compacted topic weir.outbox, and changes in the transaction that
// records a delivery.
type outbox struct {
	destination string
	places      map[string]*place    // by topic
	reported    []int64              // when dead letters were reported one by one, Unix ms, at most maxReports
	episodes    map[string]*lastSent // by dedup key; only for an Updater or a Resender
	pulse       pulse                // what is known of its heartbeats
}

// place is how far a destination has come in a topic. Messages are not done in
// the order of their offsets, since one that is held or fails delays no other.
type place struct {
	Next    int64   `json:"next"`              // every record before it is done,
	Pending []int64 `json:"pending,omitempty"` // but these; sorted
	queued  []int64 // read and not done, whether before Next or after; sorted
}

// lastSent is what the destination got last of an episode.
type lastSent struct {
	Reference string          `json:"reference,omitempty"`
	Offset    int64           `json:"offset"`          // of the alert on weir.alerts; below 0: it is not known
	At        int64           `json:"at"`              // wall clock, Unix ms
	Alert     json.RawMessage `json:"alert,omitempty"` // of a Resender: the latest, while the episode is open
}

// placeRecord is the record that holds the places.
type placeRecord struct {
	Places   map[string]*place `json:"places"`
	Reported []int64           `json:"reported,omitempty"`
}

const (
	positionPrefix = "position\x00"
	lastSentPrefix = "episode\x00"
	// forgetAfter is how long after its last message an episode's reference is
	// kept. Of an open episode an update is sent at least once a day.
	forgetAfter = 30 * 24 * time.Hour
	// maxReports is how many dead letters of one destination are reported one by
	// one within reportEvery; the others are only counted.
	maxReports  = 5
	reportEvery = 24 * time.Hour
)

func newOutbox(destination string) *outbox {
	return &outbox{destination: destination, places: map[string]*place{}, episodes: map[string]*lastSent{}}
}

// load takes in one record of weir.outbox; those of other destinations are
// passed over.
func (o *outbox) load(key, value []byte) error {
	name := string(key)
	if name == positionPrefix+o.destination && value != nil {
		var p placeRecord
		if err := json.Unmarshal(value, &p); err != nil {
			return fmt.Errorf("reading where a destination stands: %w", err)
		}
		o.places, o.reported = p.Places, p.Reported
		return nil
	}
	if name == heartbeatPrefix+o.destination && value != nil {
		if err := json.Unmarshal(value, &o.pulse); err != nil {
			return fmt.Errorf("reading when a destination was told a heartbeat: %w", err)
		}
		return nil
	}
	episode, ok := strings.CutPrefix(name, lastSentPrefix+o.destination+"\x00")
	if !ok {
		return nil
	}
	if value == nil {
		delete(o.episodes, episode)
		return nil
	}
	t := &lastSent{Offset: -1}
	if err := json.Unmarshal(value, t); err != nil {
		return fmt.Errorf("reading what a destination got last: %w", err)
	}
	o.episodes[episode] = t
	return nil
}

// record returns the record that holds the places.
func (o *outbox) record(topic string) *kgo.Record {
	p := placeRecord{Places: map[string]*place{}, Reported: o.reported}
	for name, at := range o.places {
		p.Places[name] = &place{Next: at.Next, Pending: at.pending()}
	}
	value, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("kafka: numbers do not marshal: %v", err)) // a mistake in this file
	}
	return &kgo.Record{Topic: topic, Key: []byte(positionPrefix + o.destination), Value: value}
}

// setLastSent keeps what the destination got last of an episode, or forgets it
// where t is nil, and returns the record of that.
func (o *outbox) setLastSent(topic, key string, t *lastSent) (*kgo.Record, error) {
	rec := &kgo.Record{Topic: topic, Key: []byte(lastSentPrefix + o.destination + "\x00" + key)}
	if t == nil {
		delete(o.episodes, key)
		return rec, nil
	}
	value, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("writing what a destination got last: %w", err)
	}
	o.episodes[key], rec.Value = t, value
	return rec, nil
}

// lastDelivery returns when the destination got the latest message of an episode, or the
// given time where that is earlier or there was none.
func (o *outbox) lastDelivery(latest time.Time) time.Time {
	at := int64(0)
	for _, e := range o.episodes {
		at = max(at, e.At)
	}
	if t := time.UnixMilli(at); at > 0 && t.Before(latest) {
		return t
	}
	return latest
}

// forget drops the episodes of which nothing was sent for forgetAfter, and
// returns the tombstones.
func (o *outbox) forget(topic string, now time.Time) []*kgo.Record {
	var out []*kgo.Record
	for _, key := range slices.Sorted(maps.Keys(o.episodes)) {
		if now.Sub(time.UnixMilli(o.episodes[key].At)) > forgetAfter {
			rec, _ := o.setLastSent(topic, key, nil) // a tombstone has nothing to marshal
			out = append(out, rec)
		}
	}
	return out
}

// firing fills in what must be sent again to a Resender; all of it is due at
// once.
func (o *outbox) firing(f *notify.Firing) error {
	for _, key := range slices.Sorted(maps.Keys(o.episodes)) {
		if raw := o.episodes[key].Alert; raw != nil {
			a, err := alerting.ParseAlert(raw)
			if err != nil {
				return fmt.Errorf("reading what a destination got last: %w", err)
			}
			f.Sent(a, time.Time{}, 0)
		}
	}
	return nil
}

// mayReport decides whether a dead letter is reported by itself, and whether it
// is the last one for a while.
func (o *outbox) mayReport(now time.Time) (report, last bool) {
	o.reported = slices.DeleteFunc(o.reported, func(at int64) bool { return now.Sub(time.UnixMilli(at)) >= reportEvery })
	if len(o.reported) >= maxReports {
		return false, false
	}
	o.reported = append(o.reported, now.UnixMilli())
	return true, len(o.reported) == maxReports
}

// Reached returns how far the destinations have come in a topic, by their names: each has
// got what stands before that offset.
func Reached(ctx context.Context, conn *cluster.Connection, names topics.Names, topic string) (map[string]int64, error) {
	out := map[string]int64{}
	_, err := conn.ReadAll(ctx, names.Outbox, 0, func(rec *kgo.Record) error {
		name, ok := strings.CutPrefix(string(rec.Key), positionPrefix)
		if !ok || rec.Value == nil {
			return nil
		}
		o := newOutbox(name)
		if err := o.load(rec.Key, rec.Value); err != nil {
			return err
		}
		if at := o.places[topic]; at != nil {
			out[name] = at.start()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading how far the destinations are: %w", err)
	}
	return out, nil
}

// start returns the offset to read from.
func (p *place) start() int64 {
	if len(p.Pending) > 0 {
		return p.Pending[0]
	}
	return p.Next
}

// wants reports whether a record is not done yet.
func (p *place) wants(offset int64) bool {
	_, pending := slices.BinarySearch(p.Pending, offset)
	return offset >= p.Next || pending
}

// queue notes that a record was read and is not done.
func (p *place) queue(offset int64) {
	if i, has := slices.BinarySearch(p.queued, offset); !has {
		p.queued = slices.Insert(p.queued, i, offset)
	}
}

// done notes that a record is done.
func (p *place) done(offset int64) {
	if i, has := slices.BinarySearch(p.queued, offset); has {
		p.queued = slices.Delete(p.queued, i, i+1)
	}
	if i, has := slices.BinarySearch(p.Pending, offset); has {
		p.Pending = slices.Delete(p.Pending, i, i+1)
	}
	p.Next = max(p.Next, offset+1)
}

// pending lists the offsets before Next that are not done: those left from
// before the last restart that were not read again yet, and those read.
func (p *place) pending() []int64 {
	out := slices.Clone(p.Pending)
	for _, offset := range p.queued {
		if _, has := slices.BinarySearch(p.Pending, offset); !has && offset < p.Next {
			out = append(out, offset)
		}
	}
	slices.Sort(out)
	return out
}

// within moves a place to what a topic still holds. It reports whether the
// place made no sense there: the topic was deleted and made anew.
func (p *place) within(start, end int64) (foreign bool) {
	if p.Next > end {
		*p = place{Next: start}
		return true
	}
	p.Pending = slices.DeleteFunc(p.Pending, func(offset int64) bool { return offset < start })
	p.Next = max(p.Next, start)
	return false
}
