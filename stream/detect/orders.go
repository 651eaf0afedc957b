package detect

import (
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
)

// A command changes an identity between its last bin that was judged without it
// and the first that is judged with it. In between nothing else changes the
// identity, so the exact moment at which it is carried out cannot show, and a
// restore may choose another. What the identity's state carries is the number
// of the last one, so that none is carried out twice.

// pendingCommand is a command that has not been carried out yet, and the parameters that
// it came with.
type pendingCommand struct {
	stream.Command
	params *score.Parameters
}

// pendingCommand takes in the commands of a record, each of which stands in many. The
// first of those is long gone when a command does not come with it any more, but
// then it was carried out.
func (d *Task) order(p *stream.ParameterRecord) {
	for _, c := range p.Commands {
		if c.Seq > d.ordered {
			d.ordered = c.Seq
			d.orders = append(d.orders, pendingCommand{c, p.Parameters})
		}
	}
}

// obey carries out the commands that come before a bin is judged.
func (d *Task) obey(tick, bin int64) {
	left := d.orders[:0]
	for i := range d.orders {
		if c := d.orders[i]; c.Bin < bin {
			d.carryOut(&c, tick)
		} else {
			left = append(left, c)
		}
	}
	d.orders = left
}

func (d *Task) carryOut(c *pendingCommand, tick int64) {
	if c.Dimension < 0 || c.Dimension >= len(d.cfg.Dimensions) {
		return
	}
	id := d.known(append([]byte{byte(c.Dimension)}, c.Identity...))
	if id == nil || id.command >= c.Seq {
		return
	}
	id.command = c.Seq
	d.cfg.Engine.Excise(&id.state, c.Dimension, c.FromBin, c.ToBin, c.params)
	d.touch(id, tick)
}
