package fact

import (
	"math"
)

// Rules are the limits of the facts: what is known of an identity, not
// inferred, and so needs no budget. Times are in milliseconds of event time.
type Rules struct {
	// LeaveGrace is how long after a leave its person may still act: the rest of
	// the last shift.
	LeaveGrace int64
	// DormantAfter is how long an account or a key must have been silent for its
	// next act to be an awakening; longer than any vacation.
	DormantAfter int64
	// UnusedAfter is how long after its making the first use of an account that was
	// never used is an awakening. No vacation explains it: newcomers begin to work
	// within days.
	UnusedAfter int64
	// DormantRecords is how many distinct records an account that woke must have
	// touched since: a customer who looks at the own order after half a year is
	// no finding.
	DormantRecords float64
	// RetireFade is how long after a key's retirement the tokens that it signed
	// may still be in use.
	RetireFade int64
	// RegisterGrace is how long after a key's first use its issue may still come.
	RegisterGrace int64
	// RegisterAge is how long the register must have told of issues of a kind of
	// keys before a key that it does not name is unknown. Zero: never.
	RegisterAge int64
	// MaxKeyAge is the oldest that a signing key may be. Zero: any age.
	MaxKeyAge int64
}

// Account is what facts say of an account. Times are Unix milliseconds, zero
// where nothing was told.
type Account struct {
	Joined int64  // latest joining
	Left   int64  // latest leaving
	Maker  string // who made it at the latest joining, if somebody else
}

// Gone reports whether the account's owner has left, and not come back, by the
// given time. Someone who joins again has come back.
func (a *Account) Gone(at int64) bool { return a.Left != 0 && a.Left > a.Joined && at >= a.Left }

// Key is what facts say of a signing key. Times are Unix milliseconds, zero
// where nothing was told.
type Key struct {
	Issued, Revoked, Retired int64 // each the latest
}

// Use is how an account or a key has been used. Times are Unix milliseconds.
type Use struct {
	First int64 // of all uses; equal to At when this is the first
	Last  int64 // before this one; zero when this is the first
	At    int64 // this one
}

// Silent returns how long nothing had been seen; zero for a first use.
func (u *Use) Silent() int64 {
	if u.Last == 0 {
		return 0
	}
	return u.At - u.Last
}

// Left reports whether an account acts although its owner has left.
func (r *Rules) Left(a *Account, u *Use) bool { return a.Gone(u.At - r.LeaveGrace) }

// Dormant reports whether an account wakes: it had been silent for
// DormantAfter, or it was made UnusedAfter ago and never used. since is when it
// was last seen. began is when the log of accesses began: before that it may
// have been used.
func (r *Rules) Dormant(a *Account, u *Use, began int64) (since int64, wakes bool) {
	if u.Last != 0 {
		return u.Last, r.DormantAfter > 0 && u.Silent() >= r.DormantAfter
	}
	since = max(a.Joined, began)
	return since, a.Joined != 0 && r.UnusedAfter > 0 && u.At-since >= r.UnusedAfter
}

// Orphan reports whether an account is used for the first time after its maker,
// whose own account is given, has left. Of one that is older than the log, which
// began at the given time, a first use is known only when it had long been unused.
func (r *Rules) Orphan(a, maker *Account, u *Use, began int64) bool {
	if u.Last != 0 || a.Maker == "" || !maker.Gone(u.At) {
		return false
	}
	return a.Joined >= began || r.UnusedAfter > 0 && u.At-began >= r.UnusedAfter
}

// Revoked reports whether a key is used although it was revoked.
func (r *Rules) Revoked(k *Key, u *Use) bool {
	return k.Revoked != 0 && k.Revoked > k.Issued && u.At >= k.Revoked
}

// Retired reports whether a key is used although it was taken out of use: later
// than the tokens that it signed fade away, or with a load that rises while
// they should fade.
func (r *Rules) Retired(k *Key, u *Use, rises bool) bool {
	if k.Retired == 0 || k.Retired <= k.Issued || u.At < k.Retired {
		return false
	}
	return rises || u.At-k.Retired >= r.RetireFade
}

// Fading reports whether a retired key's tokens may still be in use.
func (r *Rules) Fading(k *Key, u *Use) bool {
	return k.Retired != 0 && k.Retired > k.Issued && u.At >= k.Retired && u.At-k.Retired < r.RetireFade
}

// Unknown reports whether a key is used that the register does not name.
// registered is since when the register has told of keys of its kind, zero if it
// never has: of keys that were in use before it proves nothing.
func (r *Rules) Unknown(k *Key, u *Use, registered int64) bool {
	return r.RegisterAge > 0 && registered != 0 && *k == Key{} &&
		u.First-registered >= r.RegisterAge && u.At-u.First >= r.RegisterGrace
}

// OverAge reports whether a key is older than the policy allows. since is when
// it reached that age. Where its issue was not told its first use stands in: a
// key is at least as old.
func (r *Rules) OverAge(k *Key, u *Use) (since int64, over bool) {
	born := u.First
	if k.Issued != 0 {
		born = k.Issued
	}
	if r.MaxKeyAge <= 0 || u.At-born < r.MaxKeyAge {
		return 0, false
	}
	return born + r.MaxKeyAge, true
}

// KeyWoke reports whether a key is back from sleep.
func (r *Rules) KeyWoke(u *Use) bool {
	return r.DormantAfter > 0 && u.Silent() >= r.DormantAfter
}

// LoadRises reports whether a count is more than a load that ought to fade can
// be: half more than expected, and four standard deviations of a negative
// binomial of dispersion k and ten records beyond it.
func LoadRises(observed, expected, k float64) bool {
	if k <= 0 {
		return false
	}
	sd := math.Sqrt(expected + expected*expected/k)
	return observed > 1.5*expected && observed > expected+4*sd+10
}
