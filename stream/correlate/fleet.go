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
	budget    fleet.Config
	fleet     *fleet.Fleet // as of the last bin in which anyone was scored
	params    *score.Parameters
	published int64 // last bin whose parameters were published; eventtime.Never: none
}

func newFleetModel(cfg *Config) fleetModel {
	n := len(cfg.Dimensions)
	return fleetModel{
		engine: cfg.Engine, budget: cfg.Budget, fleet: fleet.New(n),
		params: score.Defaults(n, fleet.FirstThreshold), published: eventtime.Never,
	}
}

// closeBin learns from a bin in which anyone was scored.
func (f *fleetModel) closeBin(bin int64, sums *fleet.Sums) {
	inForce := f.params
	f.params = f.budget.CloseBin(f.fleet, bin, f.engine.Day(bin), sums)
	f.fleet.Hold(inForce, sums)
}

// publish returns the parameters of a bin that is over. If nobody was scored in
// it, what the empty bins change is worked out on a copy, so that in how many
// steps time has passed cannot show.
func (f *fleetModel) publish(bin int64) *score.Parameters {
	if f.fleet.Bin() < bin {
		f.params = f.budget.CloseBin(f.fleet.Clone(), bin, f.engine.Day(bin), &fleet.Sums{})
	}
	f.published = bin
	return f.params
}
