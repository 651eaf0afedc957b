package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/wire"
)

// ParameterRecord is one record on weir.parameters: what detect must know of the
// whole fleet to score the bins after Bin, and what it is told to do there.
type ParameterRecord struct {
	*score.Parameters
	// Commands of the last CommandRing records, oldest first: whoever has read
	// one of those records has read the command. Seq tells which are new.
	Commands []Command
}

// CommandRing is in how many records of weir.parameters a command stands. It is
// no more than the records that the compacted topic keeps.
const CommandRing = 64

// Command tells detect to change what it knows of one identity.
type Command struct {
	Seq int64 // counts from 1; a later command has a larger one
	// Bin after which it is carried out: before the first bin later than this
	// one is scored, whether or not the identity does anything in it.
	Bin       int64
	Kind      CommandKind
	Dimension int
	Identity  string
	// FromBin and ToBin, both included, are the interval that it is about.
	FromBin, ToBin int64
}

// CommandKind tells what to do.
type CommandKind uint8

// Excise takes an interval out of the identity's baseline: a leak that people
// have confirmed must not become what is normal (score.Engine.Excise).
const Excise CommandKind = 1

// AppendBinary appends the record's value: the parameters, and after them the
// commands.
func (p *ParameterRecord) AppendBinary(b []byte) []byte {
	return AppendCommands(p.Parameters.AppendBinary(b), p.Commands)
}

// DecodeParameterRecord reads a record of weir.parameters.
func DecodeParameterRecord(value []byte) (*ParameterRecord, error) {
	params, rest, err := score.DecodeParameters(value)
	if err != nil {
		return nil, fmt.Errorf("reading parameters: %w", err)
	}
	r := wire.NewReader(rest)
	p := &ParameterRecord{params, ReadCommands(&r)}
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("reading parameters: %w", err)
	}
	return p, nil
}

// AppendCommands appends the binary form of a list of commands.
func AppendCommands(b []byte, commands []Command) []byte {
	return wire.AppendList(b, commands, func(b []byte, c *Command) []byte {
		b = binary.AppendVarint(b, c.Seq)
		b = binary.AppendVarint(b, c.Bin)
		b = append(b, byte(c.Kind))
		b = binary.AppendUvarint(b, uint64(c.Dimension))
		b = wire.AppendText(b, c.Identity)
		b = binary.AppendVarint(b, c.FromBin)
		return binary.AppendVarint(b, c.ToBin)
	})
}

// ReadCommands reads what AppendCommands wrote.
func ReadCommands(r *wire.Reader) []Command {
	return wire.List(r, func() Command {
		c := Command{Seq: r.Varint(), Bin: r.Varint(), Kind: CommandKind(r.Byte()), Dimension: int(r.Uvarint())}
		c.Identity = r.Text()
		c.FromBin, c.ToBin = r.Varint(), r.Varint()
		if r.Err() == nil && c.Kind != Excise {
			r.Fail(fmt.Sprintf("command %d", c.Kind))
		}
		return c
	})
}
