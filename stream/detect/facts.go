package detect

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// FactsConfig is what a detect task needs to know to tell facts.
type FactsConfig struct {
	Rules    fact.Rules
	Tokens   fact.TokenRules
	Grace    int64          // ms: for how long the join of tokens waits for a login
	Location *time.Location // of the hours of the week in which sources are active
	// Account and Key are the indexes of the dimensions whose only field is the
	// actor and the signing key; stream.NoDimension where there is none.
	Account, Key int
}

// NewFactsConfig finds the dimensions that facts are about.
func NewFactsConfig(rules fact.Rules, tokens fact.TokenRules, grace int64, loc *time.Location, dims []event.Dimension) *FactsConfig {
	return &FactsConfig{
		Rules: rules, Tokens: tokens, Grace: grace, Location: loc,
		Account: stream.OnlyField(dims, "actor"), Key: stream.OnlyField(dims, "key_id"),
	}
}

// facts holds what a batch tells of lifecycle events, sources and sign-ins until
// its tick closes, and the register that judges by them. The register is written
// with each commit, so a restore finds it as of the checkpoint and repeats
// nothing of it.
type facts struct {
	cfg       *FactsConfig
	grid      eventtime.Grid
	register  *fact.Register
	lifecycle stream.ByTick[fact.LifecycleEvent] // by tick of application
	active    stream.ByTick[string]              // sources, by the tick in which they were active
	signIns   stream.ByTick[stream.SignIn]       // by tick of application
}

// newFacts returns the facts of one partition. The first looks for silent sources.
func newFacts(cfg *FactsConfig, grid eventtime.Grid, partition int32) *facts {
	return &facts{cfg: cfg, grid: grid, register: fact.NewRegister(fact.Config{
		Rules: cfg.Rules, Tokens: cfg.Tokens, Grid: grid, Location: cfg.Location, Sources: partition == 0,
	})}
}

// first returns the first tick for which something waits.
func (f *facts) first() int64 {
	return min(f.lifecycle.First(), f.active.First(), f.signIns.First())
}

// hold keeps what a batch tells until its tick closes. arrives returns the tick at
// which something counts that was meant for a tick, and false if it does not.
func (f *facts) hold(b *stream.Batch, arrives func(tick int64) (int64, bool)) {
	for _, r := range b.Facts {
		if tick, ok := arrives(r.Apply); ok {
			f.lifecycle.Add(tick, r.LifecycleEvent)
		}
	}
	for _, s := range b.ActiveSources {
		if tick, ok := arrives(s.Tick); ok {
			f.active.Add(tick, s.Name)
		}
	}
	for _, s := range b.SignIns {
		if tick, ok := arrives(s.Apply); ok {
			f.signIns.Add(tick, s)
		}
	}
}

// close takes in what counts at a tick, before anybody is judged, and returns the
// sources that are too silent. drop: a restored register has it already.
func (f *facts) close(tick int64, drop bool) (out []stream.FactCandidate) {
	lifecycle, active := f.lifecycle.Take(tick), f.active.Take(tick)
	if drop {
		return nil
	}
	f.register.Close(tick, lifecycle, active)
	for _, s := range f.register.Silences(tick) {
		out = append(out, stream.FactCandidate{
			Tick: tick, Dimension: stream.SourceDimension, Identity: s.Source, Fact: fact.SourceSilent,
			Time: s.Since, Detail: s.Detail, Exposed: episode.Exposed{Since: s.Since},
		})
	}
	return out
}

// signedIn returns the accounts, sorted, that were signed in to as told at a tick
// and whose owners had left by then.
func (f *facts) signedIn(tick int64) []string {
	accounts := map[string]bool{}
	for _, s := range f.signIns.Take(tick) {
		if f.register.LeftBy(s.Account, f.grid.TickStart(s.Tick)) {
			accounts[s.Account] = true
		}
	}
	return slices.Sorted(maps.Keys(accounts))
}

// kind says what lifecycle events can tell of the identities of a dimension.
func (f *facts) kind(dimension int) fact.Kind {
	switch dimension {
	case f.cfg.Account:
		return fact.AnAccount
	case f.cfg.Key:
		return fact.ASigningKey
	default:
		return fact.Neither
	}
}

// use says how the identity of a cell acts in it; the zero Use if it does not.
// before is its last tick before the cell's.
func (f *facts) use(c *cell, before int64) (u fact.Use) {
	latest := int64(eventtime.Never)
	for i := range c.parts {
		if c.parts[i].events > 0 {
			latest = max(latest, c.parts[i].tick)
		}
	}
	if latest == eventtime.Never {
		return u
	}
	u.At = f.grid.TickStart(latest)
	u.First = u.At
	if c.id.doubted() {
		u.Last = u.At // what is not known was not silence
	}
	if before != eventtime.Never {
		u.First, u.Last = f.grid.TickStart(c.id.first), f.grid.TickStart(before)
	}
	return u
}

// judgeFacts holds what an identity did in a tick against the register, after it
// was counted, and reports the facts that hold. before is the identity's last tick
// before this one.
func (d *Task) judgeFacts(c *cell, before int64, params *score.Parameters) {
	f, id := d.facts, c.id
	if f == nil || c.apply <= d.reported {
		return // a restore: judged before, and part of the state
	}
	unissued := c.unissued()
	kind := f.kind(id.dimension())
	if len(unissued) == 0 && !f.register.Concerns(id.key, kind) {
		return
	}
	a := fact.Act{
		Key: id.key, Name: id.name(), Kind: kind, Tick: c.apply, First: id.first,
		Use: f.use(c, before), Known: &id.window, Unissued: unissued, Of: judged{d, c, params},
	}
	for _, found := range f.register.Judge(&a) {
		d.reportFact(id, c.apply, &found)
	}
}

// judgeSignIns reports, after everybody who read in a tick was judged, the accounts
// that only signed in and whose owners have left.
func (d *Task) judgeSignIns(tick int64) {
	f := d.facts
	if f == nil {
		return
	}
	if tick <= d.reported { // a restore: told before, and part of the state
		f.signIns.Take(tick)
		return
	}
	for _, name := range f.signedIn(tick) {
		key := append([]byte{byte(f.cfg.Account)}, name...)
		id := d.people.known(key)
		if id == nil {
			id = newIdentity(key) // it has never read
		} else if id.last == tick {
			continue // it did more than sign in
		}
		a := fact.Act{
			Key: id.key, Name: name, Kind: fact.AnAccount, Tick: tick, First: id.first,
			Known: &id.window, Of: judged{d, &cell{id: id, apply: tick}, nil},
		}
		if found, holds := f.register.JudgeSignIn(&a); holds {
			d.reportFact(id, tick, &found)
		}
	}
}

// reportFact adds a fact to the report.
func (d *Task) reportFact(id *identity, tick int64, f *fact.Finding) {
	context := d.context(id)
	if e := f.Exposure; len(e.Traits) > 0 {
		context.Traits, context.TraitsSince = shares(e.Traits, e.Events), d.cfg.Grid.TickStart(f.Noticed)
	}
	exposed := d.exposedSince(id, f.Exposure, tick)
	var through episode.Excess
	switch {
	case f.Fact == fact.UnissuedToken:
		through.Records, through.Low, through.High = whole(f.Unissued)
	case f.Fact.Covers():
		through = episode.Excess{Records: exposed.Records, Low: exposed.Low, High: exposed.High}
	}
	d.report.Facts = append(d.report.Facts, stream.FactCandidate{
		Tick: tick, Dimension: id.dimension(), Identity: id.name(), Fact: f.Fact, Time: f.Time,
		Detail: f.Detail, Exposed: exposed, Through: through, Context: context,
	})
}

// judged answers what the rules of facts ask of the identity of a cell.
type judged struct {
	task   *Task
	cell   *cell
	params *score.Parameters
}

// Load returns what the identity has read in the running bin.
func (j judged) Load() fact.Load {
	d, id := j.task, j.cell.id
	counts := d.counts(id)
	var ev score.Evidence
	d.cfg.Engine.Early(&id.state, id.dimension(), d.cfg.Grid.BinOfTick(j.cell.apply), &counts, j.params, &ev)
	m := &ev.Stats[score.BinDistinct]
	return fact.Load{Observed: counts[score.Distinct], Expected: m.Expected, Level: id.state.Level(), K: m.K}
}

// Read returns how many distinct records the identity read in a bin that is over.
func (j judged) Read(bin int64) (records float64, known bool) {
	d := j.task
	if d.cfg.Grid.BinOfTick(j.cell.apply)-bin > d.cfg.Engine.Kept() {
		return 0, false
	}
	return j.cell.id.state.Counted(bin)[score.Distinct], true
}

// AddTo adds what the cell touched to an exposure.
func (j judged) AddTo(e *exposure.Exposure) {
	for i := range j.cell.parts {
		j.cell.parts[i].addTo(e)
	}
}

// sortFacts puts the facts of a tick in order.
func sortFacts(facts []stream.FactCandidate) {
	slices.SortFunc(facts, func(a, b stream.FactCandidate) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.Fact, b.Fact))
	})
}
