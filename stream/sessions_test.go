package stream_test

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/sketches"
	"github.com/weirhq/weir/stream"
)

// sessionsOf reads a record of weir.sessions in which dimension 1 is not known.
func sessionsOf(t *testing.T, value []byte) (facts []stream.TokenFact, reads []stream.SessionRead) {
	t.Helper()
	batch, err := stream.DecodeSessions(value)
	if err != nil {
		t.Fatal(err)
	}
	err = batch.Each([]int{4, stream.NoDimension}, func(f stream.TokenFact) { facts = append(facts, f) },
		func(s stream.SessionTouch) { reads = append(reads, s.Read()) })
	if err != nil {
		t.Fatal(err)
	}
	return facts, reads
}

// What a token read comes back as it was written, whatever the form of the window, and of
// the dimensions those that are known here, by their numbers here.
func TestSessions(t *testing.T) {
	const minutes, tick = 5, 6_000_000
	window := func(n int, minute uint32) sketches.Window {
		var list []sketches.Entry
		for i := range n {
			list = append(list, sketches.NewEntry(uint64(i)*0x9e3779b97f4a7c15, minute))
		}
		return sketches.From(sketches.PartialPrecision, list)
	}
	windows := []sketches.Window{window(0, 0), window(1, minutes*tick+4), window(3, minutes*tick), window(3, minutes*tick-1), window(5000, minutes*tick)}
	var w stream.SessionWriter
	w.Begin(minutes, []string{"user", "key"})
	w.Fact(stream.TokenFact{Token: 7, Kind: stream.TokenRevoked, Apply: tick})
	kim, key := w.Name("kim"), w.Name("key-1")
	for i := range windows {
		w.Read(uint64(100+i), tick, tick+int64(i))
		w.Identity(kim)
		w.Identity(key)
		w.Records(&windows[i])
	}
	facts, reads := sessionsOf(t, w.End(nil, nil, []int64{tick}))
	if len(facts) != 1 || facts[0] != (stream.TokenFact{Token: 7, Kind: stream.TokenRevoked, Apply: tick}) || len(reads) != len(windows) {
		t.Fatalf("%v and %d reads", facts, len(reads))
	}
	for i, r := range reads {
		if r.Token != uint64(100+i) || r.Tick != tick || r.Apply != tick+int64(i) || !reflect.DeepEqual(r.Who, []stream.IdentityRef{{Dimension: 4, Name: "kim"}}) {
			t.Errorf("read %d is %+v", i, r)
		}
		if string(r.Records.AppendBinary(nil)) != string(windows[i].AppendBinary(nil)) {
			t.Errorf("the records of read %d are others", i)
		}
	}
}

// A record of the version before is read, so that an upgrade loses nothing of what waits.
func TestSessionsOfTheVersionBefore(t *testing.T) {
	window := sketches.From(sketches.PartialPrecision, []sketches.Entry{sketches.NewEntry(1<<40, 30_000_001)})
	b := stream.AppendBatchHeader(nil, []string{"user", "key"}, nil, nil)
	b[0] = 1
	b = append(b, 0) // ticks in which tokens were issued
	b = wire.AppendText(append(b, 1), "kim")
	b = binary.LittleEndian.AppendUint64(append(b, 2), 100)
	b = append(binary.AppendVarint(b, 6_000_000), 0)
	b = window.AppendBinary(append(b, 1, 0))
	_, reads := sessionsOf(t, b)
	if len(reads) != 1 || reads[0].Token != 100 || len(reads[0].Who) != 1 || reads[0].Who[0].Name != "kim" ||
		string(reads[0].Records.AppendBinary(nil)) != string(window.AppendBinary(nil)) {
		t.Errorf("%+v", reads)
	}
}
