package theory

import (
	"math"
	"math/rand/v2"
	"testing"
)

// growing is a CUSUM that knows the baseline and that the mean grows by a share each
// day once it begins to: of each day on which growth may have begun, the log ratio of
// all since.
type growing struct {
	slope, rest []float64 // of the n-th day of growth
	since       []float64 // by days since it may have begun
}

// mostGrowth is for how many days a growth is followed.
const mostGrowth = 200

func newGrowing(n *Noise, share float64) *growing {
	d := &growing{slope: make([]float64, mostGrowth), rest: make([]float64, mostGrowth)}
	for i := range d.slope {
		r := math.Pow(1+share, float64(i+1))
		l := math.Log((n.K + n.Mean) / (n.K + r*n.Mean))
		d.slope[i], d.rest[i] = math.Log(r)+l, n.K*l
	}
	return d
}

// Step implements Sequential.
func (d *growing) Step(c int) (most float64) {
	if len(d.since) < mostGrowth {
		d.since = append(d.since, 0)
	}
	copy(d.since[1:], d.since)
	d.since[0] = 0
	for i := range d.since {
		d.since[i] += float64(c)*d.slope[i] + d.rest[i]
		most = max(most, d.since[i])
	}
	return most
}

// Calm implements Sequential.
func (d *growing) Calm() float64 { return 0.1 }

// Reset implements Sequential.
func (d *growing) Reset() { d.since = d.since[:0] }

// TestLabGrowth prints after how many working days somebody who takes a little more each
// day is told of by a detector that knows all of it but its beginning, at one false alarm
// in 260 working days of an identity. It is a floor for detectors that must learn.
func TestLabGrowth(t *testing.T) {
	if !long() {
		t.Skip("WEIR_LAB is not set")
	}
	const runs = 2000
	for _, share := range []float64{0.01, 0.02} {
		for _, k := range []float64{2, 3.5, 10, 50} {
			n, rng := NewNoise(64, k, nil), rand.New(rand.NewPCG(7, 7))
			d := newGrowing(n, share)
			threshold := Calibrate(d, n, rng, 200_000, 260)
			total := 0
			for range runs {
				total += d.delay(n, rng, share, threshold)
			}
			t.Logf("%.0f %% a day, k = %g: %.1f working days", 100*share, k, float64(total)/runs)
		}
	}
}

// delay returns on which day of a growth the statistic reaches a threshold.
func (d *growing) delay(n *Noise, rng *rand.Rand, share, threshold float64) (day int) {
	d.Reset()
	for range 60 {
		d.Step(n.Draw(rng, 1))
	}
	for r := 1.0; day < mostGrowth; {
		day, r = day+1, r*(1+share)
		if d.Step(int(math.Round(r*float64(n.Draw(rng, 1))))) >= threshold {
			break
		}
	}
	return day
}
