package correlate

import (
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
)

// fleetModel is what correlate has learned of the whole fleet, and the parameters
// that follow from it.
type fleetModel struct {
	engine    *score.Engine
	fleet     *fleet.Fleet // as of the last bin in which anyone was scored
	params    *fleet.Parameters
	published int64 // last bin whose parameters were published; eventtime.Never: none
}

func newFleetModel(engine *score.Engine) fleetModel {
	return fleetModel{engine: engine, fleet: engine.NewFleet(), params: engine.DefaultParameters(), published: eventtime.Never}
}

// closeBin learns from a bin in which anyone was scored.
func (f *fleetModel) closeBin(bin int64, sums *fleet.Sums) {
	f.params = f.engine.CloseBin(f.fleet, bin, sums)
}

// publish returns the parameters of a bin that is over. If nobody was scored in
// it, what the empty bins change is worked out on a copy, so that in how many
// steps time has passed cannot show.
func (f *fleetModel) publish(bin int64) *fleet.Parameters {
	if f.fleet.Bin() < bin {
		f.params = f.engine.CloseBin(f.fleet.Clone(), bin, &fleet.Sums{})
	}
	f.published = bin
	return f.params
}
