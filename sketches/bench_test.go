package sketches

import (
	"fmt"
	"syscall"
	"testing"
)

// cpu reports the CPU time of an operation beside its wall time, which on a
// shared machine says more about the others. Call it before the loop, and what
// it returns after.
func cpu(b *testing.B) func() {
	used := func() int64 {
		var u syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
			return 0
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// hashes returns n hashes of records first..first+n-1.
func hashes(first, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = mix(uint64(first + i))
	}
	return out
}

// spread returns a state of n records whose touches spread evenly over 30 days.
func spread(n int) Window {
	var w Window
	for i := range uint64(n) {
		w.Insert(mix(i), day0+uint32(i*43200/uint64(n)))
	}
	return w
}

// BenchmarkInsert inserts records that the window knows, in a minute past all
// it holds.
func BenchmarkInsert(b *testing.B) {
	for _, n := range []int{5, 300, 1000, 10_000, 300_000, 6_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, h := spread(n), hashes(0, min(n, 1<<16))
			stop := cpu(b)
			for i, k := 0, 0; b.Loop(); i, k = i+1, k+1 {
				if k == len(h) {
					k = 0
				}
				w.Insert(h[k], day0+43200+uint32(i>>16))
			}
			stop()
		})
	}
}

// BenchmarkFrom builds a partial from a batch, per record.
func BenchmarkFrom(b *testing.B) {
	for _, n := range []int{1, 5, 50, 1000, 5000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			all := make([]Entry, n)
			for i := range all {
				all[i] = NewEntry(mix(uint64(i)), day0+uint32(i%5))
			}
			batch := make([]Entry, n)
			stop := cpu(b)
			for b.Loop() {
				copy(batch, all)
				From(PartialPrecision, batch)
			}
			stop()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
		})
	}
}

// BenchmarkMerge merges a tick into a state that has seen its records before.
func BenchmarkMerge(b *testing.B) {
	for _, c := range []struct{ state, tick int }{{5, 1}, {300, 5}, {1000, 100}, {300_000, 35}, {6_000_000, 700}, {6_000_000, 5000}} {
		b.Run(fmt.Sprintf("%d into %d", c.tick, c.state), func(b *testing.B) {
			w, tick := spread(c.state), upTo(PartialPrecision, uint64(c.tick))
			stop := cpu(b)
			for b.Loop() {
				w.Merge(&tick)
			}
			stop()
		})
	}
}

// BenchmarkSixWindows asks for 15 m, 1 h, 6 h, 24 h, 7 d and 30 d.
func BenchmarkSixWindows(b *testing.B) {
	var since [6]uint32
	for i, minutes := range []uint32{15, 60, 360, 1440, 10080, 43200} {
		since[i] = day0 + 43200 - minutes
	}
	for _, n := range []int{5, 300, 10_000, 300_000, 6_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := spread(n)
			var out [6]Estimate
			stop := cpu(b)
			for b.Loop() {
				w.Counts(since[:], out[:])
			}
			stop()
			b.ReportMetric(float64(bytesOf(&w)), "B/window")
			b.ReportMetric(float64(len(w.AppendBinary(nil))), "B/encoded")
		})
	}
}

func BenchmarkFirstTouch(b *testing.B) {
	for _, c := range []struct{ state, tick int }{{300, 5}, {300_000, 35}, {6_000_000, 700}, {6_000_000, 5000}} {
		b.Run(fmt.Sprintf("%d in %d", c.tick, c.state), func(b *testing.B) {
			w, tick := spread(c.state), upTo(PartialPrecision, uint64(c.tick))
			stop := cpu(b)
			for b.Loop() {
				w.FirstTouch(&tick)
			}
			stop()
		})
	}
}

func BenchmarkCodec(b *testing.B) {
	for _, c := range []struct {
		name string
		w    Window
	}{
		{"tick of 5", upTo(PartialPrecision, 5)},
		{"tick of 700", upTo(PartialPrecision, 700)},
		{"tick of 5000", upTo(PartialPrecision, 5000)},
		{"tick of 100000", upTo(PartialPrecision, 100_000)},
		{"state of 300", spread(300)},
		{"state of 300000", spread(300_000)},
		{"state of 6000000", spread(6_000_000)},
	} {
		form := c.w.AppendBinary(nil)
		b.Run("encode "+c.name, func(b *testing.B) {
			buf := make([]byte, 0, len(form))
			stop := cpu(b)
			for b.Loop() {
				buf = c.w.AppendBinary(buf[:0])
			}
			stop()
			b.ReportMetric(float64(len(form)), "B/encoded")
		})
		b.Run("decode "+c.name, func(b *testing.B) {
			stop := cpu(b)
			for b.Loop() {
				if _, _, err := DecodeWindow(form); err != nil {
					b.Fatal(err)
				}
			}
			stop()
		})
	}
}

func BenchmarkExposureEstimate(b *testing.B) {
	var x Exposure
	fine, coarse := upTo(PartialPrecision, 100_000), upTo(StatePrecision, 150_000)
	x.AddWindow(&fine, 0)
	x.AddWindow(&coarse, 0)
	stop := cpu(b)
	for b.Loop() {
		x.Estimate()
	}
	stop()
	b.ReportMetric(float64(len(x.AppendBinary(nil))), "B/encoded")
}
