package detect

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// FactsConfig is what a detect task needs to know to tell facts.
type FactsConfig struct {
	Rules    fact.FactRules
	Tokens   fact.TokenRules
	Grace    int64          // ms: for how long the join of tokens waits for a login
	Location *time.Location // of the hours of the week in which sources speak
	// Account and Key are the indexes of the dimensions whose only field is the
	// actor and the signing key; none where there is no such dimension.
	Account, Key int
}

// NewFactsConfig finds the dimensions that facts are about.
func NewFactsConfig(rules fact.FactRules, tokens fact.TokenRules, grace int64, loc *time.Location, dims []event.Dimension) *FactsConfig {
	return &FactsConfig{
		Rules: rules, Tokens: tokens, Grace: grace, Location: loc,
		Account: stream.OnlyField(dims, "actor"), Key: stream.OnlyField(dims, "key_id"),
	}
}

// Bounds of the register. Beyond them accounts that nobody has left go first,
// then what was heard of longest ago.
const (
	maxAccounts = 200_000
	maxKeys     = 100_000
	maxNotices  = 20_000
	maxMissing  = 20_000
)

// factRegister is what a detect task knows of accounts, keys and tokens from
// the facts that every partition is told, and what it has noticed by them. It
// is written with each commit, so a restore finds it as of the checkpoint and
// repeats nothing of it.
type factRegister struct {
	cfg      *FactsConfig
	grid     eventtime.Grid
	accounts map[string]fact.Account
	keys     map[string]fact.Key
	notices  map[string][]*notice       // by identity: dimension byte, name
	noticed  int                        // all of notices
	kinds    map[string]int64           // of keys: since when issues are told of, Unix ms
	missing  map[string]*missing        // by identity
	voices   map[string]*sourceActivity // by source topic; partition 0 only
	listens  bool                       // this is partition 0
	heard    factsHeard
	pending  stream.ByTick[stream.FactRecord] // by tick of application
	spoke    stream.ByTick[stream.Spoke]      // likewise
	signed   stream.ByTick[stream.SignIn]     // likewise
	changed  map[string]bool                  // records of the state not written since they changed
	capped   int64                            // entries given up for want of room
	pruned   int64                            // day in which what is over was last dropped
}

// factsHeard tells since when each kind of fact has been heard of, and accesses:
// Unix ms, zero for never.
type factsHeard struct{ staff, keys, tokens, accesses int64 }

func newFactRegister(cfg *FactsConfig, grid eventtime.Grid, partition int32) *factRegister {
	return &factRegister{
		cfg: cfg, grid: grid, listens: partition == 0,
		accounts: map[string]fact.Account{}, keys: map[string]fact.Key{},
		notices: map[string][]*notice{}, kinds: map[string]int64{}, missing: map[string]*missing{}, voices: map[string]*sourceActivity{},
		changed: map[string]bool{},
	}
}

// earliest returns the first tick for which something waits.
func (f *factRegister) earliest() int64 {
	return min(f.pending.First(), f.spoke.First(), f.signed.First())
}

// holdFacts keeps what a record tells everybody until its tick closes.
func (d *Task) holdFacts(b *stream.Batch, offset int64) {
	if d.facts == nil {
		return
	}
	for _, r := range b.Facts {
		if tick, ok := d.arrives(r.Apply, offset); ok {
			d.facts.pending.Add(tick, r)
		}
	}
	for _, s := range b.Spoke {
		if tick, ok := d.arrives(s.Tick, offset); ok {
			d.facts.spoke.Add(tick, s)
		}
	}
	for _, s := range b.SignIns {
		if tick, ok := d.arrives(s.Apply, offset); ok {
			d.facts.signed.Add(tick, s)
		}
	}
}

// closeFacts takes in, before anybody is judged, what counts at a tick. What a
// restore repeats is in the register already.
func (d *Task) closeFacts(tick int64) {
	if d.facts == nil {
		return
	}
	if tick <= d.reported {
		d.facts.pending.Take(tick)
		d.facts.spoke.Take(tick)
		return
	}
	d.facts.close(tick)
	d.tellSilences(tick)
}

func (f *factRegister) inputs() stream.Inputs {
	return stream.Inputs{Staff: f.heard.staff != 0, Keys: f.heard.keys != 0, Logins: f.heard.tokens != 0}
}

// close takes in everything that counts at a tick.
func (f *factRegister) close(tick int64) {
	facts := f.pending.Take(tick)
	slices.SortFunc(facts, func(a, b stream.FactRecord) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Action, b.Action),
			cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Actor, b.Actor))
	})
	for i := range facts {
		f.take(&facts[i])
	}
	f.listen(tick, f.spoke.Take(tick))
	f.bound()
	f.prune(tick)
}

// take enters one fact into the register. Each entry is a maximum over the
// facts, so that their order cannot show.
func (f *factRegister) take(r *stream.FactRecord) {
	switch r.Action {
	case event.Join, event.Leave:
		name := cmp.Or(r.Subject, r.Actor)
		if name == "" {
			return
		}
		f.hear(&f.heard.staff, r.Time)
		a := f.accounts[name]
		switch {
		case r.Action == event.Leave:
			a.Left = max(a.Left, r.Time)
		case r.Time > a.Joined:
			a.Joined, a.Maker = r.Time, ""
			if r.Actor != name {
				a.Maker = r.Actor
			}
		}
		f.accounts[name] = a
		f.changed[accountRecord+name] = true
	case event.Issue, event.Revoke, event.Retire:
		name := cmp.Or(r.KeyID, r.Subject)
		if name == "" {
			return
		}
		f.hear(&f.heard.keys, r.Time)
		k := f.keys[name]
		switch r.Action {
		case event.Issue:
			k.Issued = max(k.Issued, r.Time)
			f.tells(name, k.Issued)
		case event.Revoke:
			k.Revoked = max(k.Revoked, r.Time)
		default:
			k.Retired = max(k.Retired, r.Time)
		}
		f.keys[name] = k
		f.changed[keyRecord+name] = true
	default: // a record of a later version
	}
}

// tells notes that the register tells of the issue of keys like the one named.
func (f *factRegister) tells(key string, at int64) {
	kind := fact.KeyKind(key)
	if since, ok := f.kinds[kind]; !ok || at < since {
		f.kinds[kind] = at
		f.changed[kindRecord+kind] = true
	}
}

func (f *factRegister) hear(since *int64, at int64) {
	if *since == 0 || at < *since {
		*since = at
		f.changed[heardRecord] = true
	}
}

// bound keeps the register within its limits.
func (f *factRegister) bound() {
	if len(f.accounts) > maxAccounts {
		shed(f, f.accounts, accountRecord, maxAccounts, func(a fact.Account) (bool, int64) {
			return a.Left > a.Joined, max(a.Left, a.Joined)
		}, func(string) {})
	}
	if len(f.keys) > maxKeys {
		shed(f, f.keys, keyRecord, maxKeys, func(k fact.Key) (bool, int64) {
			return k.Revoked+k.Retired != 0, max(k.Issued, k.Revoked, k.Retired)
		}, func(name string) { // keys of its kind may be unknown for want of room
			kind := fact.KeyKind(name)
			delete(f.kinds, kind)
			f.changed[kindRecord+kind] = true
		})
	}
}

// shed gives up the tenth of a map that is worth least, and tells gone of each.
func shed[T any](f *factRegister, m map[string]T, record string, limit int, worth func(T) (bool, int64), gone func(string)) {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		keepX, timeX := worth(m[x])
		keepY, timeY := worth(m[y])
		if keepX != keepY {
			if keepY {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(timeX, timeY), cmp.Compare(x, y))
	})
	for _, name := range names[:len(m)-limit*9/10] {
		delete(m, name)
		f.changed[record+name] = true
		f.capped++
		gone(name)
	}
}

// use says how an identity acts in a cell; false if it does not act.
func (f *factRegister) use(c *cell, before int64) (u fact.Use, acts bool) {
	latest := int64(eventtime.Never)
	for i := range c.parts {
		if c.parts[i].events > 0 {
			latest = max(latest, c.parts[i].tick)
		}
	}
	if latest == eventtime.Never {
		return u, false
	}
	u.At = latest * f.grid.Tick
	u.First = u.At
	if before != eventtime.Never {
		u.First, u.Last = f.grid.TickStart(c.id.first), f.grid.TickStart(before)
	}
	return u, true
}

// judge holds what an identity did in a tick against the register, after it was
// counted. before is its last tick before this one; rises tells, when asked,
// whether its load rises.
func (d *Task) judgeFacts(c *cell, before int64, params *score.Parameters) {
	f, id, tick := d.facts, c.id, c.apply
	if f == nil || tick <= d.reported {
		return // a restore: judged before, and part of the state
	}
	if u, acts := f.use(c, before); acts {
		switch id.dimension() {
		case f.cfg.Account:
			f.judgeAccount(id, tick, &u)
		case f.cfg.Key:
			f.judgeKey(id, tick, &u, func() bool { return d.loadRises(id, tick, params) })
		}
	}
	d.tellFacts(c, d.judgeTokens(c, params))
}

func (f *factRegister) judgeAccount(id *identity, tick int64, u *fact.Use) {
	a, rules := f.accounts[id.name()], &f.cfg.Rules
	if rules.Left(&a, u) {
		f.notice(id, tick, fact.ActedAfterLeave, a.Left+rules.LeaveGrace, "left_at", eventtime.Text(a.Left))
	}
	if maker := f.accounts[a.Maker]; rules.Orphan(&a, &maker, u, f.heard.accesses) {
		f.notice(id, tick, fact.OrphanAccountUsed, u.At,
			"made_by", a.Maker, "made_at", eventtime.Text(a.Joined), "maker_left_at", eventtime.Text(maker.Left))
	}
	if since, wakes := rules.Dormant(&a, u, f.heard.accesses); wakes {
		f.notice(id, tick, fact.DormantWoke, u.At, "last_seen", eventtime.Text(since), "silent_days", days(u.At-since))
	}
}

func (f *factRegister) judgeKey(id *identity, tick int64, u *fact.Use, rises func() bool) {
	k, rules := f.keys[id.name()], &f.cfg.Rules
	if rules.Revoked(&k, u) {
		f.notice(id, tick, fact.RevokedKey, k.Revoked, "revoked_at", eventtime.Text(k.Revoked))
	}
	if rises := rules.Fading(&k, u) && rises(); rules.Retired(&k, u, rises) {
		why := "in use after its tokens should be gone"
		if rises {
			why = "its load rises"
		}
		f.notice(id, tick, fact.RetiredKey, k.Retired, "retired_at", eventtime.Text(k.Retired), "why", why)
	}
	if since := f.kinds[fact.KeyKind(id.name())]; rules.Unknown(&k, u, since) {
		f.notice(id, tick, fact.UnknownKey, u.First, "first_seen", eventtime.Text(u.First), "register_since", eventtime.Text(since))
	}
	if since, over := rules.OverAge(&k, u); over {
		born := "first_seen"
		if k.Issued != 0 {
			born = "issued_at"
		}
		f.notice(id, tick, fact.OverageKey, since, born, eventtime.Text(since-rules.MaxKeyAge), "age_days", days(u.At-since+rules.MaxKeyAge))
	}
	if rules.KeyWoke(u) {
		f.notice(id, tick, fact.KeyBackFromSleep, u.At, "last_seen", eventtime.Text(u.Last), "silent_days", days(u.Silent()))
	}
}

// loadRises reports whether an identity's running bin already holds more than a
// load that should fade can.
func (d *Task) loadRises(id *identity, tick int64, params *score.Parameters) bool {
	counts, _ := d.counts(id)
	ev := d.cfg.Engine.Early(&id.state, id.dimension(), d.cfg.Grid.BinOfTick(tick), counts, params)
	m := &ev.Measures[score.Distinct]
	return fact.LoadRises(m.Observed, m.Expected, m.K)
}

func hours(ms int64) string {
	return strconv.FormatFloat(float64(ms)/float64(eventtime.Hour), 'f', 1, 64)
}

func days(ms int64) string { return strconv.FormatInt(ms/eventtime.Day, 10) }
