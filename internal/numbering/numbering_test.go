package numbering

import (
	"fmt"
	"testing"
)

// An index finds what a map finds, although all hashes are alike in their lower bits.
func TestIndex(t *testing.T) {
	var x Index
	hash := func(n int32) uint32 { return uint32(n%7) << 20 }
	find := func(n int32) (int32, bool) { return x.Find(hash(n), func(m int32) bool { return m == n }) }
	for n := range int32(500) {
		if _, ok := find(n); ok {
			t.Fatalf("%d is found before it is added", n)
		}
		x.Add(hash(n), n)
	}
	for n := range int32(500) {
		if got, ok := find(n); !ok || got != n {
			t.Fatalf("looking for %d: %d, %v", n, got, ok)
		}
	}
	x.Clear()
	if _, ok := find(3); ok {
		t.Error("what was cleared is found")
	}
}

// A name keeps its number, and Retain numbers those that stay in their order.
func TestNames(t *testing.T) {
	names := NewNames()
	name := func(i int) string { return fmt.Sprint("user-", i) }
	for round := range 2 {
		for i := range 1000 {
			buffer := []byte(name(i))
			n, isNew := names.Number(buffer)
			clear(buffer) // it is the caller's
			if int(n) != i || isNew != (round == 0) || names.Name(n) != name(i) {
				t.Fatalf("%s has the number %d (new: %v) and the name %q", name(i), n, isNew, names.Name(n))
			}
		}
		if names.Len() != 1000 {
			t.Fatalf("%d names", names.Len())
		}
	}
	names.Retain(func(n int32) bool { return n%10 == 3 })
	if names.Len() != 100 {
		t.Fatalf("%d names are retained", names.Len())
	}
	for i := range 1000 {
		n, isNew := names.Number([]byte(name(i)))
		if kept := i%10 == 3; isNew == kept || kept && int(n) != i/10 || names.Name(n) != name(i) {
			t.Fatalf("%s has the number %d (new: %v) and the name %q", name(i), n, isNew, names.Name(n))
		}
	}
}
