package stream

import (
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
)

// look asks for the numbers of one identity in one bin, whatever they are.
type look struct {
	key   string // dimension byte, name
	bin   int64
	found *Look
}

// Look is what an identity's numbers were when a bin ended: what an alert would
// have carried.
type Look struct {
	Known     bool  // it had been seen by then
	First     int64 // Unix ms of its first tick; zero if it was not known
	Evidence  alerting.Evidence
	Candidate bool // the evidence was told to correlate: it had passed the candidate cut
}

// Look asks for the numbers of an identity in a bin. It is for a replay of a log,
// before its first event, and changes nothing of what comes of the log.
func (d *Detect) Look(dimension int, identity string, bin int64) {
	d.looks = &look{key: string(append([]byte{byte(dimension)}, identity...)), bin: bin}
}

// Looked returns what was asked for, or nil as long as the bin has not ended.
func (d *Detect) Looked() *Look {
	if d.looks == nil {
		return nil
	}
	return d.looks.found
}

// look answers at the end of the bin, before it is closed.
func (d *Detect) look(params *detectors.Parameters) {
	l := d.looks
	l.found = &Look{}
	id := d.known([]byte(l.key))
	if id == nil || id.last == eventtime.Never {
		return
	}
	var counts detectors.Counts
	var distinct sketches.Estimate
	if id.open && id.bin == l.bin {
		counts, distinct = d.counts(id)
	}
	dim := id.dimension()
	ev := d.cfg.Engine.Explain(&id.state, dim, l.bin, counts, params)
	l.found.Known, l.found.First, l.found.Candidate = true, d.cfg.Grid.TickStart(id.first), ev.Log >= detectors.CandidateCut
	l.found.Evidence = alerting.Evidence{
		Bin: alerting.Time(l.bin * d.cfg.Grid.Bin), BinWidth: (time.Duration(d.cfg.Grid.Bin) * time.Millisecond).String(),
		LogValue: finite(ev.Log), Threshold: params.Threshold(dim), Peers: d.peersOf(id, &ev), Measures: measuresOf(&ev, distinct),
	}
	if dim < len(params.Dimensions) {
		p := &params.Dimensions[dim]
		l.found.Evidence.Live, l.found.Evidence.Formula, l.found.Evidence.Tail = p.Live, p.Formula, p.Tail
	}
}
