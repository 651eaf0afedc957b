package detect

import (
	"math/rand/v2"
	"testing"
)

// The interval of first touches is a point while the records of an identity are kept
// exactly, and holds the truth in most cases when they are not.
func TestFirstTouchesHaveAnInterval(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	const fresh, rounds = 200, 100
	for _, known := range []int{500, 5_000, 40_000} {
		held, exact := 0, 0
		for range rounds {
			var id identity
			for range known {
				id.window.Insert(dice.Uint64(), 1)
			}
			low, high := id.firstTouches(fresh)
			if low == high {
				exact++
			}
			if low, high := id.firstTouches(0); low != 0 || (high == 0) != (known <= 1024) {
				t.Fatalf("%d known: none that shows are %v to %v", known, low, high)
			}
			n := 0.0 // as it is counted: record by record, each of which may not show
			for range fresh {
				if dice.Float64() < id.window.Shown() {
					n += 1 / id.window.Shown()
				}
			}
			if low, high = id.firstTouches(n); low <= fresh && fresh <= high {
				held++
			}
		}
		switch {
		case known <= 1024 && (exact != rounds || held != rounds):
			t.Errorf("%d known: %d of %d intervals are points, %d hold the truth", known, exact, rounds, held)
		case known > 1024 && (exact > 0 || held < 85):
			t.Errorf("%d known: %d of %d intervals are points, %d hold the truth", known, exact, rounds, held)
		}
	}
}
