package trial

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/lab/exact"
	"github.com/weirhq/weir/lab/plain"
	"github.com/weirhq/weir/simulate"
	"github.com/weirhq/weir/stream/detect"
)

// Watched is what the engine made of a simulated company in all dimensions.
type Watched struct {
	Days     float64            // from the second week on
	Openings float64            // in them, but of the leaks
	People   float64            // of them, about users
	By       map[string]float64 // of them, by dimension and group
	Leaks    []Told
	Users    [score.NumGroups]float64 // thresholds of users with a history, at the end
}

// Told is what became of one leak.
type Told struct {
	Kind   string
	Caught bool
	Hours  float64 // from its first access to the end of the hour of the first alarm
	Gone   float64 // share of its accesses by then
	By     string  // dimension and group
}

// alarm is an hour in which an identity's evidence reached its threshold, or of the
// plain detector the least one.
type alarm struct {
	hour  int64
	id    int
	group string // empty: the plain detector has none
	log   float64
}

// Watch plays the engine over a company; harsh makes it a harsher one.
func Watch(opt simulate.Options, harsh bool, t score.Tuning, budget float64) (*Watched, error) {
	w := newWatch(t, fleet.NewConfig(budget, dimensions(), 24))
	verdict, err := watchCompany(opt, harsh, w.hour)
	if err != nil {
		return nil, err
	}
	out := verdict(w.alarms)
	out.Users = w.params.Dimensions[0].Threshold
	return out, nil
}

// WatchPlain plays the yardstick over the same company. Its one threshold is the least
// with which it opens no more than so many a day: set by hindsight, in its favour.
func WatchPlain(opt simulate.Options, harsh bool, perDay float64) (*Watched, error) {
	w := &plainWatch{d: plain.New(len(dimensions()))}
	verdict, err := watchCompany(opt, harsh, w.hour)
	if err != nil {
		return nil, err
	}
	for h := leastPlain; ; h += 0.25 {
		above := slices.DeleteFunc(slices.Clone(w.alarms), func(a alarm) bool { return a.log < h })
		if out := verdict(above); out.Openings <= perDay*out.Days {
			return out, nil
		}
	}
}

// leastPlain is below any threshold of the yardstick, in nats.
const leastPlain = 3.0

// plainWatch is the yardstick at work in all dimensions.
type plainWatch struct {
	d      *plain.Detector
	states []*plain.State
	alarms []alarm
}

// hour judges an hour of all identities.
func (w *plainWatch) hour(hour int64, rows []exact.Row, counter *exact.Counter) {
	for len(w.states) < len(counter.Names) {
		w.states = append(w.states, w.d.NewState(counter.Names[len(w.states)].Dim))
	}
	for i := range rows {
		row := &rows[i]
		if log := w.d.Judge(w.states[row.ID], hour, &row.Counts, true); log >= leastPlain {
			w.alarms = append(w.alarms, alarm{hour: hour, id: row.ID, log: log})
		}
	}
	w.d.EndHour()
}

// dimensions returns the names of the default dimensions.
func dimensions() (names []string) {
	for _, d := range event.DefaultDimensions() {
		names = append(names, d.Name)
	}
	return names
}

// watchCompany counts a company's log, hands each hour over, and returns what holds
// alarms against the truth.
func watchCompany(opt simulate.Options, harsh bool, hour func(int64, []exact.Row, *exact.Counter)) (func([]alarm) *Watched, error) {
	company, err := simulate.New(opt)
	if err != nil {
		return nil, fmt.Errorf("making the company: %w", err)
	}
	dims := event.DefaultDimensions()
	counter := exact.New(dims, detect.DefaultPeers(dims))
	taken := map[int][]int64{}
	next := func(ev *event.Event) bool {
		for company.Next(ev) {
			ev.Endpoint = template(ev.Endpoint)
			leak := company.Leak()
			if leak < 0 && harsh && !harsher(ev, opt.Seed) {
				continue
			}
			if leak >= 0 && ev.Action.Access() {
				taken[leak] = append(taken[leak], ev.Time)
			}
			return true
		}
		return false
	}
	counter.Run(next, func(at int64, rows []exact.Row) { hour(at, rows, counter) })
	start, end := company.Span()
	t := truth{company.Truth().Leaks, taken, counter, dimensions(), eventtime.HourOf(start.UnixMilli()) + 7*24, eventtime.HourOf(end.UnixMilli())}
	return t.verdict, nil
}

// watch is the engine at work in all dimensions.
type watch struct {
	engine   *score.Engine
	config   fleet.Config
	fleet    *fleet.Fleet
	params   *score.Parameters
	subjects []*subject
	alarms   []alarm
}

func newWatch(t score.Tuning, c fleet.Config) *watch {
	dims := len(c.Shares)
	return &watch{engine: score.NewEngine(time.Hour, time.UTC, t), config: c, fleet: fleet.New(dims), params: score.Defaults(dims, 8)}
}

// hour judges an hour of all identities.
func (w *watch) hour(hour int64, rows []exact.Row, counter *exact.Counter) {
	sums := &fleet.Sums{}
	var sample score.Sample
	var ev score.Evidence
	for len(w.subjects) < len(counter.Names) {
		w.subjects = append(w.subjects, newSubject(uint64(len(w.subjects))))
	}
	for i := range rows {
		row := &rows[i]
		dim := counter.Names[row.ID].Dim
		s := w.subjects[row.ID]
		token := uint32(0)
		if row.Group != "" {
			token = score.GroupToken(row.Group)
			s.Lean(token)
		}
		w.params.Dimensions[dim].Known = row.Pool
		c := s.counts(&row.Counts, s.Today(w.engine.Day(hour)))
		w.engine.Close(&s.State, dim, hour, &c, w.params, &ev, &sample)
		sums.Add(dim, &sample)
		s.Vote(token)
		if ev.Margin() >= 0 {
			w.alarms = append(w.alarms, alarm{hour, row.ID, ev.Group.String(), ev.Log})
		}
	}
	w.params = w.config.CloseBin(w.fleet, hour, w.engine.Day(hour), sums)
}

// template returns an endpoint as decoders hand it out.
func template(endpoint string) string {
	out, changed := event.AppendEndpoint(nil, endpoint)
	if !changed {
		return endpoint
	}
	return string(out)
}

// truth is what a company's alarms are held against.
type truth struct {
	leaks    []simulate.Leak
	taken    map[int][]int64 // times of each leak's accesses
	counter  *exact.Counter
	dims     []string
	from, to int64 // hours that are counted
}

// verdict holds the alarms against the truth.
func (t *truth) verdict(alarms []alarm) *Watched {
	out := &Watched{Days: float64(t.to-t.from) / 24, By: map[string]float64{}}
	for _, l := range t.leaks {
		out.Leaks = append(out.Leaks, Told{Kind: l.Kind})
	}
	last, opened := map[int]int64{}, map[int]int64{}
	for _, a := range alarms {
		id := t.counter.Names[a.id]
		if t.leak(a, id, out) {
			continue
		}
		at, ok := last[a.id]
		if !ok || a.hour-at > Quiet || a.hour-opened[a.id] >= again {
			opened[a.id] = a.hour
			if a.hour >= t.from {
				out.Openings++
				out.By[t.by(a)]++
				if id.Dim == 0 {
					out.People++
				}
			}
		}
		last[a.id] = a.hour
	}
	return out
}

// by says by what an alarm was raised: the dimension, and the group of the engine.
func (t *truth) by(a alarm) string {
	return strings.TrimSpace(t.dims[t.counter.Names[a.id].Dim] + " " + a.group)
}

// leak notes an alarm that is about a leak.
func (t *truth) leak(a alarm, id exact.Identity, out *Watched) bool {
	about := false
	for i, l := range t.leaks {
		times := t.taken[i]
		if len(times) == 0 || !slices.Contains(l.Identities[t.dims[id.Dim]], id.Name) {
			continue
		}
		first, ended := eventtime.HourOf(times[0]), eventtime.HourOf(times[len(times)-1])
		if a.hour < first || a.hour > ended+Quiet {
			continue
		}
		about = true
		if told := &out.Leaks[i]; !told.Caught {
			end := (a.hour + 1) * time.Hour.Milliseconds()
			told.Caught, told.By = true, t.by(a)
			told.Hours = float64(end-times[0]) / float64(time.Hour.Milliseconds())
			n, _ := slices.BinarySearch(times, end)
			told.Gone = float64(n) / float64(len(times))
		}
	}
	return about
}

// harsher thins the events of staff: on two fifths of days a person works an hour or
// two, and days differ by a Gamma of shape 1.5; each week has a release of all clients.
func harsher(ev *event.Event, seed uint64) bool {
	if customer(ev.Actor) {
		return true
	}
	hour := eventtime.HourOf(ev.Time)
	day := hour / 24
	if ev.Client != "" {
		ev.Client = fmt.Sprintf("%s-%d", ev.Client, day/7)
	}
	h := fnv.New64a()
	h.Write([]byte(ev.Actor))
	rng := rand.New(rand.NewPCG(h.Sum64()^seed, uint64(day)))
	short, at, factor := rng.Float64() < 0.4, rng.Int64N(8)+8, gamma(rng)
	if short && hour%24 != at && hour%24 != at+1 {
		return false
	}
	dice := rand.New(rand.NewPCG(h.Sum64()^seed, uint64(ev.Time)))
	return dice.Float64() < math.Min(factor/3, 1)
}

// gamma draws from a Gamma of shape 1.5 and mean 1.5: an exponential and half a
// square of a normal.
func gamma(rng *rand.Rand) float64 {
	n := rng.NormFloat64()
	return rng.ExpFloat64() + n*n/2
}
