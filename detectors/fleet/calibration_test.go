package fleet

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/detectors/score"
)

// drawSample draws what a bin of an identity told: half of them are of classes of their
// own, a tenth have no history. more makes its evidence so many times larger.
func drawSample(rng *rand.Rand, more float64) *score.Sample {
	l := &score.Sample{Token: uint32(max(rng.IntN(6)-2, 0)), Days: 1, Bins: 1, Young: youth, Known: rng.IntN(10) > 0}
	for st := range l.N {
		l.N[st] = uint8(rng.IntN(3))
		for i := range l.N[st] {
			l.X[st][i] = more * (rng.ExpFloat64()*rng.ExpFloat64()*(1+float64(l.Token)) - 0.5)
		}
	}
	return l
}

// recount counts what Hold should have found, value by value and by the formula of the
// tail, in a dimension of which the bins fade by keep.
type recount struct {
	keep float64
	rare [score.NumGroups]Calibration
}

// level returns the least edge, twelve to a decade from 0.05 on, beyond which a tail says
// that no more than one in a thousand lie, and the share that does.
func level(t *score.Tail) (edge, share float64) {
	for i := 0; ; i++ {
		edge = 0.05 * math.Pow(10, float64(i)/12)
		if edge < t.At {
			continue
		}
		y := (edge - t.At) / t.Scale
		share = math.Exp(t.LogOver - y)
		if t.Shape > 0.01 {
			share = math.Exp(t.LogOver) * math.Pow(1+t.Shape*y, -1/t.Shape)
		}
		if share <= 0.001 {
			return edge, share
		}
	}
}

func (r *recount) fade() {
	for g := range r.rare {
		c := &r.rare[g]
		*c = Calibration{c.Judged * r.keep, c.Expected * r.keep, c.Counted * r.keep}
	}
}

func (r *recount) add(l *score.Sample, d *score.Dimension) {
	if !l.Known {
		return
	}
	class := &d.Classes[0]
	for i := range d.Classes {
		if d.Classes[i].Token == l.Token {
			class = &d.Classes[i]
		}
	}
	for st := range l.N {
		if class.Tail[st].Scale == 0 {
			continue
		}
		edge, share := level(&class.Tail[st])
		c := &r.rare[score.Stat(st).Group()]
		for _, x := range l.X[st][:l.N[st]] {
			c.Judged++
			c.Expected += share
			if x > edge {
				c.Counted++
			}
		}
	}
}

// What is called rarer than one in a thousand is counted as a recount does, value by value. In a
// fleet that stays as it is it comes about as often as was said; in one that turns to
// ten times the evidence it comes more often, and that shows.
func TestCalibration(t *testing.T) {
	c, f, rng := NewConfig(2, []string{"user"}, 24), New(1), rand.New(rand.NewPCG(1, 7))
	inForce, want := score.Defaults(1, FirstThreshold), recount{keep: math.Exp(-1.0 / (120 * 24))}
	play := func(bins int, more float64) {
		for range bins {
			sums := &Sums{}
			want.fade()
			for range 150 {
				l := drawSample(rng, more)
				sums.Add(0, l)
				want.add(l, &inForce.Dimensions[0])
			}
			bin := max(f.Bin()+1, monday)
			p := c.CloseBin(f, bin, bin/24, sums)
			f.Hold(inForce, sums)
			inForce = p
		}
	}
	check := func(rare func(c *Calibration) bool) {
		for g, got := range f.Calibrations()[0] {
			exact := &want.rare[g]
			for _, x := range [][2]float64{{got.Judged, exact.Judged}, {got.Expected, exact.Expected}, {got.Counted, exact.Counted}} {
				if math.Abs(x[0]-x[1]) > 1e-6*(1+x[1]) {
					t.Errorf("%v: %+v, recounted %+v", score.Group(g), got, *exact)
				}
			}
			t.Logf("%v: %+v", score.Group(g), got)
			if got.Judged < 5000 || got.Expected < 5 || !rare(&got) {
				t.Errorf("%v: %+v", score.Group(g), got)
			}
		}
	}
	play(8*24, 1)
	if n := len(inForce.Dimensions[0].Classes); n != 4 {
		t.Fatalf("%d classes, want that of everybody and three", n)
	}
	check(func(c *Calibration) bool {
		return c.Counted > c.Expected/4 && c.Counted < c.Expected+4*math.Sqrt(c.Expected)
	})
	play(24, 10)
	check(func(c *Calibration) bool { return c.Counted > 2*c.Expected })
}
