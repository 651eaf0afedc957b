package tail

import (
	"reflect"
	"testing"
)

// What a name did beside so many that did a little is estimated from below and not far
// off, and the others are estimated to have done nothing.
func TestEstimate(t *testing.T) {
	s := New(0)
	hash := func(i int) uint64 { return uint64(i) * 0x9e3779b97f4a7c15 }
	for i := range 5000 {
		s.Add(hash(i), 1)
	}
	const does = 300
	s.Add(hash(1<<20), does)
	if got := s.Estimate(hash(1 << 20)); got < does-100 || got > does {
		t.Errorf("a name that did %d is estimated at %g", does, got)
	}
	wrong := 0
	for i := range 5000 {
		if s.Estimate(hash(i)) > 0 {
			wrong++
		}
	}
	if wrong > 10 {
		t.Errorf("%d of 5000 names that did one thing each are estimated above nothing", wrong)
	}
}

// Cells are halved each day, however many days pass at once, and read back as written.
func TestAgeAndCodec(t *testing.T) {
	a, b := New(7), New(7)
	for i := range 300 {
		a.Add(uint64(i)*77, float64(i))
		b.Add(uint64(i)*77, float64(i))
	}
	a.Age(20_000)
	b.Age(20_000)
	a.Age(20_003)
	for day := int64(20_001); day <= 20_003; day++ {
		b.Age(day)
	}
	a.Unwritten = []uint64{3, 1 << 60}
	b.Unwritten = a.Unwritten
	if !reflect.DeepEqual(a, b) {
		t.Error("it shows in how many steps days pass")
	}
	value := a.AppendBinary(nil)
	back, err := Decode(value)
	if err != nil || !reflect.DeepEqual(a, back) {
		t.Errorf("read back as %v (%v)", back, err)
	}
	for n := range value {
		if _, err := Decode(value[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for a shard", n, len(value))
		}
	}
}
