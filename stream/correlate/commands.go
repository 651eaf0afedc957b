package correlate

import (
	"encoding/binary"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// maxCommands bounds how many commands stand in one record of weir.parameters;
// more wait for the next.
const maxCommands = 4000

// commands are those that are on their way to detect.
type commands struct {
	seq     int64            // of the latest command
	waiting []stream.Command // they were not published yet
	sent    []sentCommand    // they were published and are still repeated
}

// sentCommand is a command that was published.
type sentCommand struct {
	stream.Command
	left int // records of weir.parameters in which it still stands
}

// add has a command wait, under the next number.
func (s *commands) add(c stream.Command) {
	s.seq++
	c.Seq = s.seq
	s.waiting = append(s.waiting, c)
}

// publish returns what the parameters of a bin carry.
func (s *commands) publish(bin int64) []stream.Command {
	var kept []sentCommand
	for _, c := range s.sent {
		if c.left--; c.left > 0 {
			kept = append(kept, c)
		}
	}
	n := min(len(s.waiting), max(maxCommands-len(kept), 0))
	for _, c := range s.waiting[:n] {
		c.Bin = bin
		kept = append(kept, sentCommand{c, stream.CommandRing})
	}
	s.waiting, s.sent = s.waiting[n:], kept
	var out []stream.Command
	for _, c := range kept {
		out = append(out, c.Command)
	}
	return out
}

func (s *commands) appendBinary(b []byte) []byte {
	b = binary.AppendVarint(b, s.seq)
	b = stream.AppendCommands(b, s.waiting)
	var list []stream.Command
	for _, c := range s.sent {
		list = append(list, c.Command)
	}
	b = stream.AppendCommands(b, list)
	for _, c := range s.sent {
		b = binary.AppendUvarint(b, uint64(c.left))
	}
	return b
}

func readCommands(r *wire.Reader) (s commands) {
	s.seq = r.Varint()
	s.waiting = stream.ReadCommands(r)
	for _, c := range stream.ReadCommands(r) {
		s.sent = append(s.sent, sentCommand{Command: c})
	}
	for i := range s.sent {
		s.sent[i].left = int(r.Uvarint())
	}
	return s
}
