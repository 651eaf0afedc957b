package detect

import (
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
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
	Group     string                   // of statistics: the one that stands out most
	Log       float64                  // log of its evidence, in nats
	Threshold float64                  // what Log had to reach to open an episode, in nats
	Peers     string                   // the group that the identity was held against; empty: all of its dimension
	Measures  []stream.MeasureEvidence // strongest first
	Candidate bool                     // the evidence was near its threshold, so correlate had got it
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
func (d *Task) answer(params *score.Parameters) {
	q := d.query
	q.found = &BinAnswer{}
	id := d.people.known([]byte(q.key))
	if id == nil || id.last == eventtime.Never {
		return
	}
	var counts score.Counts
	if id.open && id.bin == q.bin {
		counts = d.counts(id)
	}
	dim := id.dimension()
	var ev score.Evidence
	d.cfg.Engine.Explain(&id.state, dim, q.bin, &counts, params, &ev)
	q.found.Known, q.found.First, q.found.Candidate = true, d.cfg.Grid.TickStart(id.first), ev.Candidate()
	q.found.Bin, q.found.Group, q.found.Log, q.found.Threshold = d.cfg.Grid.BinStart(q.bin), ev.Group.String(), wire.Finite(ev.Log), ev.Threshold
	q.found.Peers, q.found.Measures = d.peersOf(id, &ev), d.measuresOf(id, q.bin, &ev)
}
