package detect

import (
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// binQuery asks for the numbers of one identity in one bin, whatever they are.
type binQuery struct {
	key   string // dimension byte, name
	bin   int64
	found *BinAnswer
}

// BinAnswer holds the numbers of an identity at the end of a bin: those that an
// alert would have carried.
type BinAnswer struct {
	Known     bool                     // the identity had been seen by then
	First     int64                    // Unix ms of its first tick; zero if it was not known
	Bin       int64                    // start of the bin, Unix ms
	Log       float64                  // log of the combined evidence, in nats
	Threshold float64                  // what Log had to reach to open an episode, in nats
	Live      float64                  // identities that Threshold was computed for
	Formula   float64                  // what theory asks of Threshold, in nats
	Tail      float64                  // what the tail of the fleet's own evidence asks, in nats; 0: too little of it was seen
	Peers     string                   // the group that the identity was held against; empty: all of its dimension
	Measures  []stream.MeasureEvidence // strongest first
	Candidate bool                     // the evidence had passed the candidate cut, so correlate had got it
}

// Ask asks for the numbers of an identity in a bin. It is for a replay of a log,
// before its first event, and changes nothing of what comes of the log.
func (d *Task) Ask(dimension int, identity string, bin int64) {
	d.query = &binQuery{key: string(append([]byte{byte(dimension)}, identity...)), bin: bin}
}

// Answer returns what was asked for, or nil as long as the bin has not ended.
func (d *Task) Answer() *BinAnswer {
	if d.query == nil {
		return nil
	}
	return d.query.found
}

// answer answers the query at the end of the bin, before it is closed.
func (d *Task) answer(params *fleet.Parameters) {
	q := d.query
	q.found = &BinAnswer{}
	id := d.people.known([]byte(q.key))
	if id == nil || id.last == eventtime.Never {
		return
	}
	var counts fleet.Counts
	var distinct sketches.Estimate
	if id.open && id.bin == q.bin {
		counts, distinct = d.counts(id)
	}
	dim := id.dimension()
	state := id.state.Clone()
	d.cfg.Engine.Advance(&state, dim, q.bin, params)
	ev := d.cfg.Engine.Explain(&state, dim, q.bin, counts, params)
	q.found.Known, q.found.First, q.found.Candidate = true, d.cfg.Grid.TickStart(id.first), ev.Log >= fleet.CandidateCut
	q.found.Bin, q.found.Log, q.found.Threshold = d.cfg.Grid.BinStart(q.bin), wire.Finite(ev.Log), params.Threshold(dim)
	q.found.Peers, q.found.Measures = d.peersOf(id, &ev), measuresOf(&ev, distinct)
	if dim < len(params.Dimensions) {
		p := &params.Dimensions[dim]
		q.found.Live, q.found.Formula, q.found.Tail = p.Live, p.Formula, p.Tail
	}
}
