package position

import (
	"testing"

	"github.com/weirhq/weir/detectors/score"
)

// The largest that correlate says fits into the 4,096 bytes that brokers keep.
func TestCorrelateFits(t *testing.T) {
	most := Correlate{
		Closed: 1_767_571_200_000, Since: 1_767_571_200_000, Open: 100_000, Campaigns: 10_000, HeldBack: 100_000, Verdicts: 100_000, Realised: 1.0 / 3,
		Thresholds: make([][]float64, MostRare), Rare: make([][][3]float64, MostRare),
	}
	for i := range MostRare {
		for range score.NumGroups {
			most.Thresholds[i] = append(most.Thresholds[i], 12.25)
			most.Rare[i] = append(most.Rare[i], [3]float64{12_345_678.9, 12_345.6, 12_345.6})
		}
	}
	if n := len(Encode(most)); n > 4096 {
		t.Errorf("%d bytes", n)
	}
}
