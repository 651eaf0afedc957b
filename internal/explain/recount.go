package explain

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// Recount counts what an alert counted from the events themselves: sets of
// record ids instead of sketches. An event that comes again, with the same id,
// counts once. In which order events are fed changes nothing.
type Recount struct {
	alert     *alerting.Alert
	dim       event.Dimension
	hasher    event.Hasher
	retention int64 // ms

	touched map[uint64]bool  // records that it has touched at any time
	before  map[uint64]int64 // records: when they were last touched before the bin
	in      map[uint64]int64 // records of the bin: when they were first touched in it
	rows    int64
	rowsOf  map[uint64]int64 // event id: rows in the bin
	gone    map[uint64]bool  // records deleted or updated in the bin
	exposed map[uint64]bool  // since the alert's exposed.since
	first   int64
	events  int
	known   map[uint64]bool // ids of those events that have one
	buf     []byte
}

// NewRecount returns a counter for the alert's identity.
func NewRecount(a *alerting.Alert, dim event.Dimension, hasher event.Hasher, retention int64) *Recount {
	return &Recount{
		alert: a, dim: dim, hasher: hasher, retention: retention,
		touched: map[uint64]bool{}, before: map[uint64]int64{}, in: map[uint64]int64{}, gone: map[uint64]bool{}, exposed: map[uint64]bool{},
		rowsOf: map[uint64]int64{}, known: map[uint64]bool{},
	}
}

// Observe takes in one event.
func (c *Recount) Observe(ev *event.Event) {
	if c.first == 0 || ev.Time < c.first {
		c.first = ev.Time
	}
	if !ev.Action.Access() || ev.Time >= int64(c.alert.Time) {
		return
	}
	id, ok := c.dim.AppendIdentity(c.buf[:0], ev, c.hasher)
	c.buf = id
	if !ok || string(id) != c.alert.Identity {
		return
	}
	c.count(ev)
	bin, width := int64(c.alert.Evidence.Bin), c.width()
	inBin := ev.Time >= bin && ev.Time < bin+width
	if inBin {
		c.countRows(ev)
	}
	for _, r := range ev.Records {
		h := c.hasher.Hash(r)
		c.touched[h] = true
		switch first, seen := c.in[h]; {
		case inBin && (!seen || ev.Time < first):
			c.in[h] = ev.Time
		case ev.Time < bin:
			c.before[h] = max(c.before[h], ev.Time)
		}
		if inBin && (ev.Action == event.Delete || ev.Action == event.Update) {
			c.gone[h] = true
		}
		if ev.Time >= int64(c.alert.Exposed.Since) {
			c.exposed[h] = true
		}
	}
}

// fresh returns how many records of the bin it had not touched within the retention.
func (c *Recount) fresh() (n int) {
	for h, first := range c.in {
		if was, known := c.before[h]; !known || first-was > c.retention {
			n++
		}
	}
	return n
}

// count counts the event, unless it came before.
func (c *Recount) count(ev *event.Event) {
	if ev.ID != "" {
		id := c.hasher.Hash(ev.ID)
		if c.known[id] {
			return
		}
		c.known[id] = true
	}
	c.events++
}

// countRows adds the rows of an event of the bin whose records the log does not
// name. Of events with the same id the one with the most rows counts.
func (c *Recount) countRows(ev *event.Event) {
	rows := max(0, ev.Rows-int64(len(ev.Records)))
	if ev.ID != "" {
		id := c.hasher.Hash(ev.ID)
		rows = max(rows, c.rowsOf[id])
		c.rows -= c.rowsOf[id]
		c.rowsOf[id] = rows
	}
	c.rows += rows
}

// width returns the width of the bin, an hour if the alert does not say.
func (c *Recount) width() int64 {
	d, err := time.ParseDuration(c.alert.Evidence.BinWidth)
	if err != nil || d <= 0 {
		return eventtime.Hour
	}
	return d.Milliseconds()
}

// Numbers holds what was counted against what the alert told.
func (c *Recount) Numbers() []Number {
	var out []Number
	counted := map[string]float64{
		fleet.Distinct.String(): float64(len(c.in)), fleet.FirstTouch.String(): float64(c.fresh()),
		fleet.Destructive.String(): float64(len(c.gone)),
	}
	for i := range c.alert.Evidence.Measures {
		m := &c.alert.Evidence.Measures[i]
		again, ok := counted[m.Measure]
		if !ok {
			continue
		}
		n := Number{Name: m.Measure + " in the bin", Stated: m.Observed, Again: again, From: "the events of the bin, one by one", Within: bySketch}
		if m.Low != m.High {
			n.Stated, n.High = m.Low, m.High
		}
		slack := c.slack(m.Measure, again)
		n.Agrees = again >= n.Stated-slack && again <= max(n.High, n.Stated)+slack
		if end := int64(c.alert.Evidence.Bin) + c.width(); !n.Agrees && again > n.Stated && int64(c.alert.Time) >= end {
			n.Agrees, n.Within, n.From = true, byLate, "the events of the bin; the case was made before all of them had come"
		}
		out = append(out, n)
	}
	x := c.alert.Exposed
	if x.Records > 0 {
		again := float64(len(c.exposed))
		out = append(out, Number{
			Name: "exposed", Stated: float64(x.Low), High: float64(x.High), Again: again, From: "all records touched since " + x.Since.String(), Within: bySketch,
			Agrees: again >= 0.98*float64(x.Low) && again <= 1.02*float64(x.High),
		})
	}
	return out
}

// listed is up to how many records weir knows an identity's records exactly.
const listed = 1024

// slack is how far a count may be off by the error of a sketch: not at all
// while the identity's records are a list; then by 2 % of a distinct count, and
// by more of a difference of two.
func (c *Recount) slack(measure string, count float64) float64 {
	switch {
	case len(c.touched) <= listed:
		return 0
	case measure == fleet.Distinct.String():
		return 0.02 * count
	}
	return 2 + 0.15*count
}

// Remarks say what the counting rests on.
func (c *Recount) Remarks() []string {
	out := []string{fmt.Sprintf("Counted again from %d events of this identity; the log begins at %s.", c.events, time.UnixMilli(c.first).UTC().Format(time.RFC3339))}
	if c.rows > 0 {
		out = append(out, fmt.Sprintf("In the bin it read %d rows whose records the log does not name.", c.rows))
	}
	if since := int64(c.alert.Exposed.Since); since > 0 && c.first > since {
		out = append(out, "The log begins after the episode: what came before is not counted here.")
	}
	return out
}
