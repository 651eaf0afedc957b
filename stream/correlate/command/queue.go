// Package command holds what correlate tells detect to do, until detect must have read
// it: each command stands in as many records of weir.parameters as a restore reads back.
package command

import (
	"encoding/binary"

	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// maxCommands bounds how many commands stand in one record of weir.parameters;
// more wait for the next.
const maxCommands = 4000

// Queue holds the commands that are on their way to detect.
type Queue struct {
	seq     int64            // of the latest command
	waiting []stream.Command // they were not published yet
	sent    []sentCommand    // they were published and are still repeated
}

// sentCommand is a command that was published.
type sentCommand struct {
	stream.Command
	left int // records of weir.parameters in which it still stands
}

// Add has a command wait, under the next number.
func (s *Queue) Add(c stream.Command) {
	s.seq++
	c.Seq = s.seq
	s.waiting = append(s.waiting, c)
}

// Publish returns what the parameters of a bin carry.
func (s *Queue) Publish(bin int64) []stream.Command {
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

// AppendBinary appends the encoding.
func (s *Queue) AppendBinary(b []byte) []byte {
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

// Read reads what AppendBinary wrote.
func Read(r *wire.Reader) (s Queue) {
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
