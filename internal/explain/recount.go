package explain

import (
	"fmt"
	"math"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
)

// Recount counts what an alert counted from the events themselves: sets of
// record ids instead of sketches. An event that comes again, with the same id,
// counts once. In which order events are fed changes nothing.
type Recount struct {
	alert     *alerting.Alert
	dim       event.Dimension
	hasher    event.Hasher
	retention int64 // ms
	loc       *time.Location

	known   map[uint64]bool // ids of events
	touched map[uint64]bool // records that it has touched at any time
	spans   []*span
	exposed map[uint64]bool // since the alert's exposed.since
	first   int64
	events  int
	buf     []byte
}

// span is what was counted in one interval.
type span struct {
	from, to, bin int64            // ms; bin is the width of a bin
	records       map[uint64]int64 // when they were first touched in it
	before        map[uint64]int64 // records: when they were last touched before it
	gone          map[goneRecord]bool
	rows          int64
	rowsOf        map[uint64]int64 // event id: rows
}

// goneRecord is a record that was deleted or updated in a bin, which counts once a
// bin.
type goneRecord struct {
	record uint64
	bin    int64
}

// NewRecount returns a counter for the alert's identity: of the intervals of its
// measures, of its bin, and of the local day that the bin is in. retention is in
// milliseconds; loc is the zone of the days.
func NewRecount(a *alerting.Alert, dim event.Dimension, hasher event.Hasher, retention int64, loc *time.Location) *Recount {
	c := &Recount{
		alert: a, dim: dim, hasher: hasher, retention: retention, loc: loc,
		known: map[uint64]bool{}, touched: map[uint64]bool{}, exposed: map[uint64]bool{},
	}
	width := max(a.BinWidth().Milliseconds(), 1)
	add := func(m *alerting.MeasureEvidence) {
		if c.spanOf(m) == nil {
			from, to := a.Interval(m, loc)
			c.spans = append(c.spans, &span{
				from: int64(from), to: int64(to), bin: width,
				records: map[uint64]int64{}, before: map[uint64]int64{}, gone: map[goneRecord]bool{}, rowsOf: map[uint64]int64{},
			})
		}
	}
	for _, st := range []score.Stat{score.DayDistinct, score.BinDistinct} {
		add(&alerting.MeasureEvidence{Measure: st.String()})
	}
	for i := range a.Evidence.Measures {
		add(&a.Evidence.Measures[i])
	}
	return c
}

// spanOf returns what was counted in the interval of a measure, or nil.
func (c *Recount) spanOf(m *alerting.MeasureEvidence) *span {
	from, to := c.alert.Interval(m, c.loc)
	for _, s := range c.spans {
		if s.from == int64(from) && s.to == int64(to) {
			return s
		}
	}
	return nil
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
	c.countEvent(ev)
	for _, r := range ev.Records {
		h := c.hasher.Hash(r)
		c.touched[h] = true
		for _, s := range c.spans {
			s.count(ev, h)
		}
		if ev.Time >= int64(c.alert.Exposed.Since) {
			c.exposed[h] = true
		}
	}
}

// countEvent counts the event, unless it came before, and its rows.
func (c *Recount) countEvent(ev *event.Event) {
	id := uint64(0)
	if ev.ID != "" {
		id = c.hasher.Hash(ev.ID)
	}
	if ev.ID == "" || !c.known[id] {
		c.events++
	}
	for _, s := range c.spans {
		s.countRows(ev, id)
	}
	if ev.ID != "" {
		c.known[id] = true
	}
}

func (s *span) holds(ms int64) bool { return ms >= s.from && ms < s.to }

// countRows counts the rows whose records the event does not name. Of events with the
// same id the one with the most rows counts.
func (s *span) countRows(ev *event.Event, id uint64) {
	rows := ev.Rows - int64(len(ev.Records))
	if rows <= 0 || !s.holds(ev.Time) {
		return
	}
	if ev.ID != "" {
		rows = max(rows, s.rowsOf[id])
		s.rows -= s.rowsOf[id]
		s.rowsOf[id] = rows
	}
	s.rows += rows
}

// count takes in one record of an event.
func (s *span) count(ev *event.Event, record uint64) {
	if ev.Time < s.from {
		s.before[record] = max(s.before[record], ev.Time)
	}
	if !s.holds(ev.Time) {
		return
	}
	if first, seen := s.records[record]; !seen || ev.Time < first {
		s.records[record] = ev.Time
	}
	if ev.Action.Destroys() {
		s.gone[goneRecord{record, (ev.Time - s.from) / s.bin}] = true
	}
}

// fresh returns how many records the identity had not touched within the retention.
func (s *span) fresh(retention int64) (n int) {
	for record, first := range s.records {
		if was, known := s.before[record]; !known || first-was > retention {
			n++
		}
	}
	return n
}

// of returns the count of a measure, and false for one that events alone do not
// tell.
func (s *span) of(st score.Stat, retention int64) (n float64, ok bool) {
	switch st {
	case score.DayDistinct, score.BinDistinct:
		return float64(len(s.records)), true
	case score.DayFirst, score.BinFirst, score.DayShare:
		return float64(s.fresh(retention)), true
	case score.DayRows, score.BinRows:
		return float64(s.rows), true
	case score.DayDestructive:
		return float64(len(s.gone)), true
	}
	return 0, false
}

// Numbers holds what was counted against what the alert told.
func (c *Recount) Numbers() []Number {
	var out []Number
	for i := range c.alert.Evidence.Measures {
		m := &c.alert.Evidence.Measures[i]
		st, ok := score.ParseStat(m.Measure)
		s := c.spanOf(m)
		if !ok || s == nil || !judged(m) {
			continue
		}
		if again, ok := s.of(st, c.retention); ok {
			out = append(out, c.number(m, st, s, again))
		}
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

// number holds a count against what the alert told of its measure.
func (c *Recount) number(m *alerting.MeasureEvidence, st score.Stat, s *span, again float64) Number {
	n := Number{
		Within: bySketch,
		Name:   "observed " + m.Measure, Stated: m.Observed, Again: again,
		From: fmt.Sprintf("the events from %s to %s, one by one", alerting.Time(s.from), alerting.Time(s.to)),
	}
	if m.Low != m.High {
		n.Stated, n.High = m.Low, m.High
	}
	slack := c.slack(st, s, again)
	n.Agrees = again >= n.Stated-slack && again <= max(n.High, n.Stated)+slack
	if !n.Agrees && again > n.Stated && s.to == c.wholeEnd(m) {
		n.Agrees, n.Within = true, byLate
		n.From += "; the case was made before all of them had come"
	}
	return n
}

// wholeEnd returns when the bin or day of a measure ends.
func (c *Recount) wholeEnd(m *alerting.MeasureEvidence) int64 {
	whole := *c.alert
	whole.Evidence.Until = math.MaxInt64
	_, end := whole.Interval(m, c.loc)
	return int64(end)
}

// listed is up to how many records weir knows an identity's records exactly, and up
// to how many events with an id it knows the rows of a tick exactly.
const listed = 1024

// slack is how far a count may be off by the error of a sketch: not at all
// while the identity's records are a list; then by 2 % of a distinct count, and by more
// of what is new, which is a difference of two counts of all that the identity knows.
func (c *Recount) slack(st score.Stat, s *span, count float64) float64 {
	rows := st == score.DayRows || st == score.BinRows
	switch {
	case rows && len(s.rowsOf) <= listed, !rows && len(c.touched) <= listed:
		return 0
	case st == score.DayDistinct, st == score.BinDistinct:
		return 0.02 * count
	}
	return 2 + 0.15*count + 0.03*float64(len(c.touched))
}

// Remarks say what the counting rests on.
func (c *Recount) Remarks() []string {
	out := []string{fmt.Sprintf("Counted again from %d events of this identity, one that is repeated under its id once; the log begins at %s.", c.events, time.UnixMilli(c.first).UTC().Format(time.RFC3339))}
	for _, s := range c.spans {
		out = append(out, fmt.Sprintf("From %s to %s the events have %d distinct records, %d of them touched for the first time, and %d rows without ids.",
			alerting.Time(s.from), alerting.Time(s.to), len(s.records), s.fresh(c.retention), s.rows))
	}
	for i := range c.alert.Evidence.Measures {
		m := &c.alert.Evidence.Measures[i]
		if st, ok := score.ParseStat(m.Measure); ok && judged(m) && (st == score.DayUnissued || st == score.DayOff) {
			out = append(out, fmt.Sprintf("%s is not counted again: it rests on logins, or on the identity's own hours, and not on its events alone.", m.Measure))
		}
	}
	if since := int64(c.alert.Exposed.Since); since > 0 && c.first > since {
		out = append(out, "The log begins after the episode: what came before is not counted here.")
	}
	return out
}
