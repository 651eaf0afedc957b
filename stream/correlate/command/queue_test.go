package command

import (
	"testing"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// A command stands in so many records as the ring holds, and no more are carried
// than fit; none is lost.
func TestCommandsAreRepeated(t *testing.T) {
	var s Queue
	for range maxCommands + 10 {
		s.Add(stream.Command{Kind: stream.Excise, Identity: "x", FromBin: 1, ToBin: 2})
	}
	seen := map[int64]int{}
	for bin := range int64(2*stream.CommandRing + 1) {
		r := wire.NewReader(s.AppendBinary(nil))
		if s = Read(&r); r.Err() != nil || r.Len() > 0 {
			t.Fatalf("the state does not read back: %v", r.Err())
		}
		published := s.Publish(bin)
		if len(published) > maxCommands {
			t.Fatalf("%d commands in one record", len(published))
		}
		for _, c := range published {
			if seen[c.Seq]++; c.Bin > bin {
				t.Fatalf("command %d of bin %d in the record of bin %d", c.Seq, c.Bin, bin)
			}
		}
	}
	for seq := int64(1); seq <= maxCommands+10; seq++ {
		if seen[seq] != stream.CommandRing {
			t.Fatalf("command %d stood in %d records, want %d", seq, seen[seq], stream.CommandRing)
		}
	}
}
