package score

import (
	"github.com/weirhq/weir/detectors/fleet"
)

// Since returns the counts of the closed bins from a bin on, added up, as far as
// they are kept: two days, and at most the last 48 active bins.
func (s *State) Since(bin int64) (sum fleet.Counts) {
	var h history
	h.read(s.recent)
	from := fleet.ClampBin(bin)
	for i := range h.visits[:h.n] {
		if v := &h.visits[i]; v.bin >= from {
			for m, n := range v.asCounts() {
				sum[m] += n
			}
		}
	}
	return sum
}

// Counted returns what was counted in a closed bin, as far as it is kept.
func (s *State) Counted(bin int64) fleet.Counts {
	var h history
	h.read(s.recent)
	return h.counts(fleet.ClampBin(bin))
}

// Kept returns of how many bins before the open one Counted tells for certain.
func (e *Engine) Kept() int64 { return min(int64(e.KeptBins), maxVisits) }
