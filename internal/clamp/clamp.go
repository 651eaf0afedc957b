// Package clamp adds up counts that must not run over: a sum that would is held at
// the largest number instead.
package clamp

// Add adds counts that are never negative; a sum is held at 1<<62.
func Add(a, b int64) int64 {
	const most = 1 << 62
	return min(a, most) + min(b, most-min(a, most))
}

// Uint32 holds a count that is never negative at the largest uint32.
func Uint32(n int64) uint32 { return uint32(min(n, 1<<32-1)) }
