package fact

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/eventtime"
)

// Config is what a Register decides by.
type Config struct {
	Rules    Rules
	Tokens   TokenRules
	Grid     eventtime.Grid
	Location *time.Location // of the hours of the week in which sources are active
	// Sources: silent sources are looked for. One register of a deployment does.
	Sources bool
}

// Bounds of a register. Beyond them the accounts whose owner is still there, and the
// keys that are neither revoked nor retired, go first; then what was seen longest ago.
const (
	maxAccounts = 200_000
	maxKeys     = 100_000
	maxNotices  = 20_000
	maxUnissued = 20_000
)

// Register is what lifecycle events have told of accounts and signing keys, what
// was noticed by them of single identities, and how active sources are. It is a
// function of what it was given, tick by tick; Close begins a tick.
type Register struct {
	cfg      Config
	accounts map[string]Account // by folded name
	keys     map[string]Key
	kinds    map[string]int64 // by KeyKind: since when issues of such keys are told of, Unix ms
	inputs   inputsSince
	notices  noticeList
	unissued map[string]*unissuedReads  // by Act.Key
	sources  map[string]*sourceActivity // by name
	changed  map[string]bool            // records of the binary form that are not written since they changed
	capped   int64                      // entries given up for want of room
	pruned   int64                      // day in which what is over was last dropped
}

// inputsSince is since when each kind of input, and accesses, have been seen:
// Unix ms of event time, 0 for never.
type inputsSince struct{ staff, keys, tokens, accesses int64 }

// NewRegister returns a register that knows nothing.
func NewRegister(cfg Config) *Register {
	return &Register{
		cfg: cfg, accounts: map[string]Account{}, keys: map[string]Key{}, kinds: map[string]int64{},
		notices: noticeList{byKey: map[string][]*notice{}}, unissued: map[string]*unissuedReads{}, sources: map[string]*sourceActivity{},
		changed: map[string]bool{},
	}
}

// LifecycleEvent tells of an account that its owner joined or left, or of a signing
// key that it was issued, revoked or retired.
type LifecycleEvent struct {
	Action  event.Action // Join, Leave, Issue, Revoke or Retire
	Time    int64        // event time, Unix ms
	Actor   string       // who did it, if the source says
	Subject string       // whom or what it is about
	KeyID   string
	// SomeKeys: the source tells of the issue of some keys only. A key that it does
	// not name is not unknown for that.
	SomeKeys bool
}

// Inputs returns which kinds of input have been seen.
func (r *Register) Inputs() Inputs {
	return Inputs{Staff: r.inputs.staff != 0, Keys: r.inputs.keys != 0, Logins: r.inputs.tokens != 0}
}

// Close takes in, before anybody is judged, what counts at a tick: lifecycle
// events, and which sources were active. Their order does not matter.
func (r *Register) Close(tick int64, events []LifecycleEvent, active []string) {
	slices.SortFunc(events, func(a, b LifecycleEvent) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Action, b.Action),
			cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.KeyID, b.KeyID), cmp.Compare(a.Actor, b.Actor))
	})
	for i := range events {
		r.enter(&events[i])
	}
	r.followSources(tick, active)
	r.bound()
	r.prune(tick)
}

// enter takes in one lifecycle event. Each entry is a maximum over the events, so
// that their order cannot show.
func (r *Register) enter(e *LifecycleEvent) {
	switch e.Action {
	case event.Join, event.Leave:
		if name := cmp.Or(e.Subject, e.Actor); name != "" {
			r.noteInput(&r.inputs.staff, e.Time)
			r.enterAccount(name, e)
		}
	case event.Issue, event.Revoke, event.Retire:
		if name := cmp.Or(e.KeyID, e.Subject); name != "" {
			r.noteInput(&r.inputs.keys, e.Time)
			r.enterKey(name, e)
		}
	default: // of a later version
	}
}

// fold returns the name of an account in the form under which accounts are known:
// directories and logs write one name in capitals and in small letters.
func fold(name string) string { return strings.ToLower(name) }

// account returns what is known of the account of a name.
func (r *Register) account(name string) Account { return r.accounts[fold(name)] }

func (r *Register) enterAccount(name string, e *LifecycleEvent) {
	name = fold(name)
	a := r.accounts[name]
	switch {
	case e.Action == event.Leave:
		a.Left = max(a.Left, e.Time)
	case e.Time > a.Joined:
		a.Joined, a.Maker = e.Time, ""
		if fold(e.Actor) != name {
			a.Maker = e.Actor
		}
	}
	r.accounts[name] = a
	r.changed[accountRecord+name] = true
}

func (r *Register) enterKey(name string, e *LifecycleEvent) {
	k := r.keys[name]
	switch e.Action {
	case event.Issue:
		k.Issued = max(k.Issued, e.Time)
		if !e.SomeKeys {
			r.enterKind(KeyKind(name), e.Time)
		}
	case event.Revoke:
		k.Revoked = max(k.Revoked, e.Time)
	default:
		k.Retired = max(k.Retired, e.Time)
	}
	r.keys[name] = k
	r.changed[keyRecord+name] = true
}

// enterKind notes that issues of a kind of keys are told of since a time at the
// latest.
func (r *Register) enterKind(kind string, at int64) {
	if since, ok := r.kinds[kind]; !ok || at < since {
		r.kinds[kind] = at
		r.changed[kindRecord+kind] = true
	}
}

func (r *Register) noteInput(since *int64, at int64) {
	if *since == 0 || at < *since {
		*since = at
		r.changed[inputsRecord] = true
	}
}

// bound keeps the register within its limits.
func (r *Register) bound() {
	if len(r.accounts) > maxAccounts {
		shed(r, r.accounts, accountRecord, maxAccounts, func(a Account) (bool, int64) {
			return a.Left > a.Joined, max(a.Left, a.Joined)
		}, func(string) {})
	}
	if len(r.keys) > maxKeys {
		shed(r, r.keys, keyRecord, maxKeys, func(k Key) (bool, int64) {
			return k.Revoked+k.Retired != 0, max(k.Issued, k.Revoked, k.Retired)
		}, func(name string) { // keys of its kind may be unknown for want of room
			kind := KeyKind(name)
			delete(r.kinds, kind)
			r.changed[kindRecord+kind] = true
		})
	}
	if r.notices.count > maxNotices {
		r.limitNotices()
	}
	if len(r.unissued) > maxUnissued {
		shed(r, r.unissued, unissuedRecord, maxUnissued, func(u *unissuedReads) (bool, int64) { return false, u.Bin }, func(string) {})
	}
}

// shed gives up the entries of a map that are worth least, until nine tenths of
// the limit are left, and calls gone for each. worth tells of an entry whether it
// is worth more than those of which it tells false, and the time by which the
// earlier goes first.
func shed[T any](r *Register, m map[string]T, record string, limit int, worth func(T) (bool, int64), gone func(string)) {
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
		r.changed[record+name] = true
		r.capped++
		gone(name)
	}
}

func (r *Register) day(tick int64) int64 { return eventtime.DayOf(r.cfg.Grid.TickStart(tick)) }

// prune drops, once a day, what has nothing more to say.
func (r *Register) prune(tick int64) {
	if r.pruned == r.day(tick) {
		return
	}
	r.pruned = r.day(tick)
	r.changed[inputsRecord] = true
	r.pruneNotices(tick)
	for key, u := range r.unissued {
		if r.stale(u, tick) {
			delete(r.unissued, key)
			r.changed[unissuedRecord+key] = true
		}
	}
}
