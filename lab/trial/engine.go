package trial

import (
	"time"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/lab/exact"
)

// Engine is weir's engine as a Detector: its evidence is the margin to its own
// threshold, as the fleet has learned it.
type Engine struct {
	engine   *score.Engine
	config   fleet.Config
	fleet    *fleet.Fleet
	params   *score.Parameters
	sums     *fleet.Sums
	sample   score.Sample
	ev       score.Evidence
	subjects uint64
}

// NewEngine returns the engine for users alone, at a budget of alarms a day.
func NewEngine(t score.Tuning, budget float64) *Engine {
	return newEngine(t, fleet.NewConfig(budget, []string{"user"}, 24))
}

func newEngine(t score.Tuning, c fleet.Config) *Engine {
	return &Engine{
		engine: score.NewEngine(time.Hour, time.UTC, t), config: c, fleet: fleet.New(1), params: score.Defaults(1, 8), sums: &fleet.Sums{},
	}
}

// New implements Detector.
func (e *Engine) New() any {
	e.subjects++
	return newSubject(e.subjects)
}

// Clone implements Detector.
func (e *Engine) Clone(state any) any {
	return state.(*subject).clone()
}

// Judge implements Detector.
func (e *Engine) Judge(state any, hour int64, c *exact.Counts, shadow bool) float64 {
	s := state.(*subject)
	counts := s.counts(c, s.Today(e.engine.Day(hour)))
	e.params.Dimensions[0].Known = c.Pool
	sample := &e.sample
	if shadow {
		sample = nil
	}
	e.engine.Close(&s.State, 0, hour, &counts, e.params, &e.ev, sample)
	if !shadow {
		e.sums.Add(0, sample)
	}
	return e.ev.Margin() + offset
}

// offset keeps what is told above zero.
const offset = 20

// EndHour implements Detector.
func (e *Engine) EndHour(hour int64) {
	e.params = e.config.CloseBin(e.fleet, hour, e.engine.Day(hour), e.sums)
	e.sums = &fleet.Sums{}
}
