package rivals

import (
	"math/rand/v2"
	"slices"
)

// event is one touch of a record.
type event struct {
	hash           uint64
	record, minute uint32
}

// profile is how an identity behaves, for 31 days and some hours.
type profile struct {
	name   string
	most   uint32 // records are numbered below it
	draw   func(rng *rand.Rand) (events []event, now uint32)
	trials int // of the error
	copies int // of which the memory is the mean
}

// day0 is the midnight at which all profiles begin.
const day0 = 29_500_560 / 1440 * 1440

var lasting = []uint32{15, 60, 360, 1440, 10_080, 43_200} // minutes of the six windows

var profiles = []profile{
	{"5 records in 30 days", 5, func(rng *rand.Rand) ([]event, uint32) {
		now := uint32(day0 + 31*1440 + rng.IntN(1440))
		salt := rng.Uint64()
		events := make([]event, 5)
		for i := range events {
			events[i] = touch(salt, uint32(i), now-rng.Uint32N(43_200))
		}
		return byTime(events), now
	}, 100, 5000},
	{"employee, 40 a day of a pool of 300", 300, office(300), 100, 500},
	{"employee, 40 new a day", 40 * 32, office(0), 100, 500},
	{"scraper, 10,000 new a day", 32 * 10_000, steady(10_000, 0), 40, 12},
	{"service, 200,000 a day of 2,000,000", 2_000_000, steady(200_000, 2_000_000), 8, 2},
}

// office draws a working life: 40 records a day, each read three times from
// nine to five; out of a pool, or all new if there is none.
func office(pool uint32) func(rng *rand.Rand) ([]event, uint32) {
	return func(rng *rand.Rand) (events []event, now uint32) {
		now = day0 + 31*1440 + 10*60 + rng.Uint32N(7*60)
		salt, next := rng.Uint64(), uint32(0)
		for day := range uint32(32) {
			today := map[uint32]bool{}
			for len(today) < 40 {
				record := next
				if next++; pool > 0 {
					record = rng.Uint32N(pool)
				}
				if today[record] {
					continue
				}
				today[record] = true
				for range 3 {
					if minute := day0 + day*1440 + 9*60 + rng.Uint32N(8*60); minute <= now {
						events = append(events, touch(salt, record, minute))
					}
				}
			}
		}
		return byTime(events), now
	}
}

// steady draws an even flow of records a day, at random from a pool, or all new
// if there is none.
func steady(daily, pool uint32) func(rng *rand.Rand) ([]event, uint32) {
	return func(rng *rand.Rand) ([]event, uint32) {
		now := uint32(day0 + 31*1440 + rng.IntN(1440))
		salt := rng.Uint64()
		events := make([]event, 0, int(daily)*32)
		for i := uint64(0); ; i++ {
			minute := day0 + uint32(i*1440/uint64(daily))
			if minute > now {
				return events, now
			}
			record := uint32(i)
			if pool > 0 {
				record = rng.Uint32N(pool)
			}
			events = append(events, touch(salt, record, minute))
		}
	}
}

// touch hashes a record (by SplitMix64) as a keyed hash would.
func touch(salt uint64, record, minute uint32) event {
	h := (salt ^ uint64(record)) + 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return event{h ^ h>>31, record, minute}
}

func byTime(events []event) []event {
	slices.SortFunc(events, func(a, b event) int { return int(a.minute) - int(b.minute) })
	return events
}

// truth counts the distinct records of windows of so many minutes.
func truth(p *profile, events []event, now uint32, windows ...uint32) []float64 {
	last := make([]uint32, p.most)
	for _, e := range events {
		last[e.record] = e.minute
	}
	out := make([]float64, len(windows))
	for _, minute := range last {
		for k, w := range windows {
			if minute > now-w {
				out[k]++
			}
		}
	}
	return out
}
