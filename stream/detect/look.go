package detect

import (
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// binQuery asks for the numbers of one identity in one bin, whatever they are.
type binQuery struct {
	key   string // dimension byte, name
	bin   int64
	found *BinAnswer
}

// BinAnswer is what an identity's numbers were when a bin ended: what an alert would
// have carried.
type BinAnswer struct {
	Known     bool  // it had been seen by then
	First     int64 // Unix ms of its first tick; zero if it was not known
	Evidence  alerting.Evidence
	Candidate bool // the evidence was told to correlate: it had passed the candidate cut
}

// BinAnswer asks for the numbers of an identity in a bin. It is for a replay of a log,
// before its first event, and changes nothing of what comes of the log.
func (d *Task) Look(dimension int, identity string, bin int64) {
	d.looks = &binQuery{key: string(append([]byte{byte(dimension)}, identity...)), bin: bin}
}

// Looked returns what was asked for, or nil as long as the bin has not ended.
func (d *Task) Looked() *BinAnswer {
	if d.looks == nil {
		return nil
	}
	return d.looks.found
}

// binQuery answers at the end of the bin, before it is closed.
func (d *Task) look(params *score.Parameters) {
	l := d.looks
	l.found = &BinAnswer{}
	id := d.known([]byte(l.key))
	if id == nil || id.last == eventtime.Never {
		return
	}
	var counts score.Counts
	var distinct sketches.Estimate
	if id.open && id.bin == l.bin {
		counts, distinct = d.counts(id)
	}
	dim := id.dimension()
	ev := d.cfg.Engine.Explain(&id.state, dim, l.bin, counts, params)
	l.found.Known, l.found.First, l.found.Candidate = true, d.cfg.Grid.TickStart(id.first), ev.Log >= score.CandidateCut
	l.found.Evidence = alerting.Evidence{
		Bin: alerting.Time(l.bin * d.cfg.Grid.Bin), BinWidth: (time.Duration(d.cfg.Grid.Bin) * time.Millisecond).String(),
		LogValue: stream.Finite(ev.Log), Threshold: params.Threshold(dim), Peers: d.peersOf(id, &ev), Measures: measuresOf(&ev, distinct),
	}
	if dim < len(params.Dimensions) {
		p := &params.Dimensions[dim]
		l.found.Evidence.Live, l.found.Evidence.Formula, l.found.Evidence.Tail = p.Live, p.Formula, p.Tail
	}
}
