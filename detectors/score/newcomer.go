package score

import (
	"math"
)

// What a newcomer has read since it was first seen is held against what the
// newcomers among its peers had read by the end of their first two days. A level
// says nothing of that yet, and a day's factor excuses any one day; but among
// hundreds of customers whose accounts are new and who look at an order or two,
// one who reads forty is like none of them.
//
// Logarithms of such totals are taken for normal, with a small chance of any
// size at all, as those of exports are (see rows.go): where few newcomers have
// been seen, or they differ by decades, little is strange. The statistic is the
// likelihood ratio of the total itself, an e-value, since the total only grows;
// it is set, not accumulated, and fades when the two days are over.
const (
	newcomersNeeded  = 20.0 // newcomers by which what is taken of those nobody has seen counts
	strangeNewcomers = 1e-5 // chance of a total that is like nothing before
	newcomersSpread  = 4.0  // variance of the logs that is added where they follow from the peers' levels
	leastNewcomers   = 0.25 // least variance of the logs
	tellsNewcomers   = 1.0  // log-likelihood ratio from which a newcomer's is kept
)

// defaultNewcomers is what is taken of newcomers in a fleet of which nothing is
// known: about ten records, give or take a factor of fifty.
var defaultNewcomers = Prior{Mean: 10, Strength: 1, InverseK: 16}

// isNew reports whether a bin lies in an identity's first two days.
func (e *Engine) isNew(t *setting) bool { return t.age < float64(e.kept) }

// total returns the distinct records of the bins before one, as far as they are
// kept: of a newcomer all of them. A record counts in each bin it was read in.
func (s *State) total(before uint32) (n float64) {
	var h history
	h.read(s.recent)
	for i := range h.visits[:h.n] {
		if v := &h.visits[i]; v.bin < before {
			n += float64(v.counts[Distinct])
		}
	}
	return n
}

// weighNewcomer holds the total so far against those of the peers' newcomers. It
// is judged only from where it says anything, so that others keep nothing of it.
func (e *Engine) weighNewcomer(l *likelihood, s *State, d *Dimension, t *setting, total float64) {
	i := int(Newcomer) - numCore
	kept := s.extra(Newcomer) != nil
	l.newcomer = rowsOf{ln(d.Prior[Newcomer].Mean), d.Prior[Newcomer].InverseK}
	if !e.isNew(t) {
		if l.judged[i] = kept; kept {
			l.total = float64(s.extra(Newcomer).count)
		}
		for j := range l.extra[i] {
			l.extra[i][j] = -e.rowsFade
		}
		return
	}
	l.arrives, l.total = true, total
	if total > 0 {
		l.extra[i] = l.newcomer.against(total, strangeNewcomers)
		l.judged[i] = kept || l.extra[i][0] > tellsNewcomers
	}
}

// setNewcomer makes the statistics of a newcomer's total; later they fade.
func (sc *scores) setNewcomer(l *likelihood, top float64) {
	i := int(Newcomer) - numCore
	for j, log := range l.extra[i] {
		if l.arrives {
			sc.extra[i][j] = 1
		}
		sc.extra[i][j] = min(max(sc.extra[i][j]*bounded(log), minStat), top)
	}
	sc.kept[i] = true
}

// newcomersLike returns what is taken of newcomers before many have been seen:
// that they do what their peers do, give or take a good deal more. So who takes
// over from a peer, such as the next signing key, is nothing strange.
func (e *Model) newcomersLike(levels Prior) Prior {
	spread := math.Log1p(1 / levels.Strength)
	return Prior{Mean: max(levels.Mean*float64(e.kept), 1), Strength: 1, InverseK: spread + newcomersSpread}
}
