package fact

import (
	"strconv"

	"github.com/weirhq/weir/detectors/exposure"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/sketches"
)

// Kind says what lifecycle events can tell of an identity.
type Kind uint8

// The kinds of identities.
const (
	Neither     Kind = iota // lifecycle events are not about identities of its dimension
	AnAccount               // it is an account
	ASigningKey             // it is a signing key
)

// Act is what one identity did in one tick.
type Act struct {
	Key   string // names the identity among those of all dimensions
	Name  string // of the account or the signing key
	Kind  Kind
	Tick  int64 // in which the act counts
	First int64 // tick in which the identity was first seen
	Use   Use   // At is zero where the identity did nothing itself: others read by its unissued tokens, say
	// Known are the records that are known of the identity, those of the act among
	// them.
	Known *sketches.Window
	// Unissued is what was read by tokens that nobody issued and that count for the
	// identity.
	Unissued []UnissuedTokens
	Of       Identity
}

// UnissuedTokens are tokens that nobody issued, each with the minute in which it
// last read, and the records that were read by them.
type UnissuedTokens struct{ Tokens, Records *sketches.Window }

// Identity answers what the rules ask of the identity of an act, where they do.
type Identity interface {
	// Load returns what the identity has read in the running bin.
	Load() Load
	// Read returns how many distinct records the identity read in a bin that is over;
	// false if that is not known any more.
	Read(bin int64) (records float64, known bool)
	// AddTo adds what the act touched to an exposure.
	AddTo(e *exposure.Exposure)
}

// Load is how many distinct records an identity has read in a bin so far, and what
// its baseline says of the bin.
type Load struct {
	Observed, Expected float64
	Level              float64 // of an ordinary bin
	K                  float64 // dispersion
}

// Concerns reports whether Judge can have anything to say of an identity that only
// acts: all others need not be judged.
func (r *Register) Concerns(key string, kind Kind) bool {
	return kind != Neither || len(r.notices.byKey[key]) > 0
}

// Knows reports whether the register tells something of an identity.
func (r *Register) Knows(key, name string, kind Kind) bool {
	known := len(r.notices.byKey[key]) > 0
	switch kind {
	case AnAccount:
		known = known || r.account(name) != Account{}
	case ASigningKey:
		known = known || r.keys[name] != Key{}
	default:
	}
	return known
}

// Judge holds what an identity did in a tick against the register, and returns the
// facts that hold.
func (r *Register) Judge(a *Act) []Finding {
	if a.Use.At != 0 {
		switch a.Kind {
		case AnAccount:
			r.judgeAccount(a)
		case ASigningKey:
			r.judgeKey(a)
		default:
		}
	}
	return r.findings(a, r.judgeUnissued(a))
}

// JudgeSignIn holds against the register that an account was signed in to, and
// nothing else was done by it, in a tick. The owner has left: see LeftBy.
func (r *Register) JudgeSignIn(a *Act) (f Finding, reported bool) {
	return r.finding(r.noticeLeft(a), a)
}

// LeftBy reports whether the owner of an account had left, longer ago than the
// grace, at a time (Unix ms).
func (r *Register) LeftBy(account string, at int64) bool {
	entry := r.account(account)
	return r.cfg.Rules.Left(&entry, &Use{At: at})
}

func (r *Register) noticeLeft(a *Act) *notice {
	left := r.account(a.Name).Left
	return r.notice(a, ActedAfterLeave, left+r.cfg.Rules.LeaveGrace, "left_at", eventtime.Text(left))
}

func (r *Register) judgeAccount(a *Act) {
	entry, u, rules := r.account(a.Name), &a.Use, &r.cfg.Rules
	if rules.Left(&entry, u) {
		r.noticeLeft(a)
	}
	if maker := r.account(entry.Maker); rules.Orphan(&entry, &maker, u, r.inputs.accesses) {
		r.notice(a, OrphanAccountUsed, u.At,
			"made_by", entry.Maker, "made_at", eventtime.Text(entry.Joined), "maker_left_at", eventtime.Text(maker.Left))
	}
	if since, wakes := rules.Dormant(&entry, u, r.inputs.accesses); wakes {
		r.notice(a, DormantWoke, u.At, "last_seen", eventtime.Text(since), "silent_days", days(u.At-since))
	}
}

func (r *Register) judgeKey(a *Act) {
	k, u, rules := r.keys[a.Name], &a.Use, &r.cfg.Rules
	if rules.Revoked(&k, u) {
		r.notice(a, RevokedKey, k.Revoked, "revoked_at", eventtime.Text(k.Revoked))
	}
	if rises := rules.Fading(&k, u) && loadRises(a.Of.Load()); rules.Retired(&k, u, rises) {
		why := "in use after its tokens should be gone"
		if rises {
			why = "its load rises"
		}
		r.notice(a, RetiredKey, k.Retired, "retired_at", eventtime.Text(k.Retired), "why", why)
	}
	if since := r.kinds[KeyKind(a.Name)]; rules.Unknown(&k, u, since) {
		r.notice(a, UnknownKey, u.First, "first_seen", eventtime.Text(u.First), "register_since", eventtime.Text(since))
	}
	if since, over := rules.OverAge(&k, u); over {
		born := "first_seen"
		if k.Issued != 0 {
			born = "issued_at"
		}
		r.notice(a, OverageKey, since, born, eventtime.Text(since-rules.MaxKeyAge), "age_days", days(u.At-since+rules.MaxKeyAge))
	}
	if rules.KeyWoke(u) {
		r.notice(a, KeyBackFromSleep, u.At, "last_seen", eventtime.Text(u.Last), "silent_days", days(u.Silent()))
	}
}

func loadRises(l Load) bool { return LoadRises(l.Observed, l.Expected, l.K) }

func hours(ms int64) string {
	return strconv.FormatFloat(float64(ms)/float64(eventtime.Hour), 'f', 1, 64)
}

func days(ms int64) string { return strconv.FormatInt(ms/eventtime.Day, 10) }
