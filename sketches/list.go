package sketches

import (
	"slices"
)

// A packed pair of a key and the minute at which it was last seen: the key in
// the upper 38 bits, the minute in the lower 26. In a list of records the key
// is the top of the hash; in the sparse part of a matrix it is a cell.
const (
	minuteBits = 26
	keyBits    = 64 - minuteBits
	minuteMask = 1<<minuteBits - 1

	epoch      = 946684800 / 60 // Unix minute of 2000-01-01, the origin of stored minutes
	lastMinute = minuteMask     // reaches into 2127
)

// Entry is one touch: the top 38 bits of a record's hash and a minute, in one
// word. Ingest collects entries and hands them over in batches.
type Entry uint64

// NewEntry packs the keyed hash of a record and the Unix minute of its touch.
// Minutes before 2000 or after 2127 are taken for the nearest minute inside.
func NewEntry(hash uint64, minute uint32) Entry {
	return Entry(hash&^minuteMask | uint64(stored(minute)))
}

// stored turns a Unix minute into a stored one, 1..lastMinute. It is monotone,
// so that clamping commutes with taking the later of two minutes; zero is kept
// free to mean "never".
func stored(unix uint32) uint32 {
	if unix <= epoch {
		return 1
	}
	return min(unix-epoch, lastMinute)
}

func (e Entry) key() uint64 { return uint64(e) >> minuteBits }

func (e Entry) minute() uint32 { return uint32(e & minuteMask) }

func pack(key uint64, minute uint32) Entry { return Entry(key<<minuteBits | uint64(minute)) }

// search returns the first position whose key is at least key. The loop halves
// a range of fixed shape so that the compiler can do without a branch on data.
func search(list []Entry, key uint64) int {
	want := Entry(key << minuteBits)
	lo, n := 0, len(list)
	for n > 1 {
		half := n >> 1
		if list[lo+half-1] < want {
			lo += half
		}
		n -= half
	}
	if n == 1 && list[lo] < want {
		lo++
	}
	return lo
}

// grow returns list with room for extra more entries. Growth is by an eighth,
// to an even number, and rounded up to what the allocator hands out anyway:
// most identities are small and stay so.
func grow(list []Entry, extra int) []Entry {
	if need := len(list) + extra; need > cap(list) {
		n := (max(need, len(list)+len(list)/8) + 1) &^ 1
		if n > 16 {
			return append(slices.Grow([]Entry(nil), n), list...)
		}
		grown := make([]Entry, len(list), n) // as the allocator hands it out
		copy(grown, list)
		return grown
	}
	return list
}

// shrunk returns list, moved to memory of its size if it wastes more than half.
func shrunk(list []Entry) []Entry {
	switch {
	case len(list) == 0:
		return nil
	case cap(list) > 8 && len(list) <= cap(list)/2:
		return append(slices.Grow([]Entry(nil), len(list)), list...)
	}
	return list
}

// searchRecords is search in a list of records, whose hashes spread evenly: it
// walks from where the key should stand.
func searchRecords(list []Entry, key uint64) int {
	want := Entry(key << minuteBits)
	i := int(key * uint64(len(list)) >> keyBits)
	for i < len(list) && list[i] < want {
		i++
	}
	for i > 0 && list[i-1] >= want {
		i--
	}
	return i
}

// insertRecord puts one entry into a sorted list of records, keeping the later
// minute, and reports whether the record is new.
func insertRecord(list []Entry, e Entry) ([]Entry, bool) {
	return insertAt(list, searchRecords(list, e.key()), e)
}

// insertAt is insertRecord at the place that was looked up.
func insertAt(list []Entry, i int, e Entry) ([]Entry, bool) {
	if i < len(list) && list[i].key() == e.key() {
		list[i] = max(list[i], e)
		return list, false
	}
	list = append(grow(list, 1), 0)
	copy(list[i+1:], list[i:])
	list[i] = e
	return list, true
}

// gallops tells whether looking up each entry of a list of n in one of m beats
// walking through both.
func gallops(n, m int) bool { return n*8 < m }

// missing counts the keys of src that dst lacks. Both are sorted.
func missing(dst, src []Entry) int {
	n, i := 0, 0
	quick := gallops(len(src), len(dst))
	for _, e := range src {
		key := e.key()
		if quick {
			i += search(dst[i:], key)
		} else {
			for i < len(dst) && dst[i].key() < key {
				i++
			}
		}
		if i == len(dst) || dst[i].key() != key {
			n++
		}
	}
	return n
}

// union merges src, which has added keys that dst lacks, into dst. It works
// from the back, in place when dst has room, so that a small src moves blocks
// of a large dst rather than entries.
func union(dst, src []Entry, added int) []Entry {
	i := len(dst)
	dst = grow(dst, added)[:len(dst)+added]
	quick := gallops(len(src), i)
	for out, j := len(dst), len(src)-1; j >= 0; j-- {
		key := src[j].key()
		if quick {
			at := search(dst[:i], key+1)
			copy(dst[out-(i-at):out], dst[at:i])
			out -= i - at
			i = at
		} else {
			for i > 0 && dst[i-1].key() > key {
				i--
				out--
				dst[out] = dst[i]
			}
		}
		out--
		if i > 0 && dst[i-1].key() == key {
			i--
			dst[out] = max(dst[i], src[j])
		} else {
			dst[out] = src[j]
		}
	}
	return dst
}

// sortDistinct sorts a batch in place and keeps the last minute of each key.
func sortDistinct(batch []Entry) []Entry {
	slices.Sort(batch)
	return compactSorted(batch)
}

// sortRecords sorts entries of records in place. Hashes spread evenly, so one
// deal by the top byte (American flag sort: McIlroy, Bostic and McIlroy, 1993)
// leaves small piles.
func sortRecords(batch []Entry) {
	const topByte = 64 - 8
	if len(batch) < 256 {
		slices.Sort(batch)
		return
	}
	var next, end [256]int
	for _, e := range batch {
		end[e>>topByte]++
	}
	sum := 0
	for i, n := range end {
		next[i] = sum
		sum += n
		end[i] = sum
	}
	for pile := range next {
		first := next[pile]
		if pile > 0 {
			first = end[pile-1]
		}
		for next[pile] < end[pile] {
			e := batch[next[pile]]
			for to := int(e >> topByte); to != pile; to = int(e >> topByte) {
				batch[next[to]], e = e, batch[next[to]]
				next[to]++
			}
			batch[next[pile]] = e
			next[pile]++
		}
		slices.Sort(batch[first:end[pile]])
	}
}

// compactSorted keeps the last, which is the latest, entry of each key.
func compactSorted(batch []Entry) []Entry {
	n := 0
	for i, e := range batch {
		if i+1 == len(batch) || batch[i+1].key() != e.key() {
			batch[n] = e
			n++
		}
	}
	return batch[:n]
}

// countSince returns how many entries are of the minute since or later.
func countSince(list []Entry, since uint32) int {
	n := 0
	for _, e := range list {
		if e.minute() >= since {
			n++
		}
	}
	return n
}

// expire drops entries older than before, in place.
func expire(list []Entry, before uint32) []Entry {
	n := 0
	for _, e := range list {
		list[n] = e
		if e.minute() >= before {
			n++
		}
	}
	return list[:n]
}
