package detect

import (
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
)

// fleetParameters holds what correlate has published and a task still needs: the
// parameters of the last bins, and the commands that have not been carried out.
//
// A command changes an identity between its last bin that was judged without it
// and the first that is judged with it. In between nothing else changes the
// identity, so the exact moment at which it is carried out cannot show, and a
// restore may choose another. What the identity's state carries is the number
// of the last one, so that none is carried out twice.
type fleetParameters struct {
	byBin    map[int64]*score.Parameters
	commands []stream.Command // not carried out yet, in the order of Seq
	latest   int64            // Seq of the latest command that was read
}

// add takes in a record. A command stands in many of them: the first may be long
// gone when a restore reads them, but then the command was carried out.
func (f *fleetParameters) add(p *stream.ParameterRecord) {
	f.byBin[p.Bin] = p.Parameters
	for _, c := range p.Commands {
		if c.Seq > f.latest {
			f.latest = c.Seq
			f.commands = append(f.commands, c)
		}
	}
}

// of returns the parameters that a bin is judged by, those of the bin before it;
// nil if they have not come.
func (f *fleetParameters) of(bin int64) *score.Parameters { return f.byBin[bin-1] }

// dropBefore drops the parameters that no bin from this one on is judged by.
func (f *fleetParameters) dropBefore(bin int64) {
	for b := range f.byBin {
		if b < bin-1 {
			delete(f.byBin, b)
		}
	}
}

// due hands out the commands that come before a bin is judged.
func (f *fleetParameters) due(bin int64) (out []stream.Command) {
	left := f.commands[:0]
	for _, c := range f.commands {
		if c.Bin < bin {
			out = append(out, c)
		} else {
			left = append(left, c)
		}
	}
	f.commands = left
	return out
}

// carryOut carries out the commands that come before a bin is judged.
func (d *Task) carryOut(tick, bin int64) {
	for _, c := range d.params.due(bin) {
		if c.Dimension < 0 || c.Dimension >= len(d.cfg.Dimensions) {
			continue
		}
		id := d.people.known(append([]byte{byte(c.Dimension)}, c.Identity...))
		if id == nil || id.command >= c.Seq {
			continue
		}
		id.command = c.Seq
		d.cfg.Engine.Excise(&id.state, c.Dimension, c.FromBin, c.ToBin)
		d.snapshots.touch(id, tick)
	}
}
