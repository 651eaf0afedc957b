package score

import (
	"github.com/weirhq/weir/detectors/fleet"
)

// isNew reports whether a bin lies in an identity's first two days.
func (e *Engine) isNew(t *setting) bool { return t.age < float64(e.KeptBins) }

// total returns the distinct records of the bins before one, as far as they are
// kept: of a newcomer all of them. A record counts in each bin it was read in.
func (s *State) total(before uint32) (n float64) {
	var h history
	h.read(s.recent)
	for i := range h.visits[:h.n] {
		if v := &h.visits[i]; v.bin < before {
			n += float64(v.counts[fleet.Distinct])
		}
	}
	return n
}

// weighNewcomer holds the total so far against those of the peers' newcomers. It
// is judged only from where it says anything, so that others keep nothing of it.
func (e *Engine) weighNewcomer(l *likelihood, s *State, d *fleet.Dimension, t *setting, total float64) {
	i := int(fleet.Newcomer) - fleet.NumCore
	kept := s.extra(fleet.Newcomer) != nil
	l.newcomer = rowsOf{fleet.Ln(d.Prior[fleet.Newcomer].Mean), d.Prior[fleet.Newcomer].InverseK}
	if !e.isNew(t) {
		if l.judged[i] = kept; kept {
			l.total = float64(s.extra(fleet.Newcomer).count)
		}
		for j := range l.extra[i] {
			l.extra[i][j] = -e.rowsFade
		}
		return
	}
	l.arrives, l.total = true, total
	if total > 0 {
		l.extra[i] = l.newcomer.against(total, fleet.StrangeNewcomers)
		l.judged[i] = kept || l.extra[i][0] > fleet.TellsNewcomers
	}
}

// setNewcomer makes the statistics of a newcomer's total; later they fade.
func (sc *scores) setNewcomer(l *likelihood, top float64) {
	i := int(fleet.Newcomer) - fleet.NumCore
	for j, log := range l.extra[i] {
		if l.arrives {
			sc.extra[i][j] = 1
		}
		sc.extra[i][j] = min(max(sc.extra[i][j]*bounded(log), minStat), top)
	}
	sc.kept[i] = true
}
