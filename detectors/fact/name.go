// Package fact decides what is known of an identity rather than inferred: a token
// that nobody issued, a key past its rotation, an account whose owner has left, a
// source that has gone silent.
//
// A Register is told, tick by tick, of lifecycle events and active sources
// (Register.Close), and of what identities do (Register.Judge). It answers with the
// facts that hold. The rules by themselves are in rules.go (accounts, keys),
// unissued.go (tokens) and silence.go (sources).
package fact

// Name names a fact, as alerts carry it. The facts that weir looks for are the
// constants; a reader takes any other name as a fact that it does not know yet.
type Name string

// The facts.
const (
	UnissuedToken     Name = "unissued_token"      // a token that reads was never issued
	UnknownKey        Name = "unknown_key"         // a signing key is used that the register of keys does not have
	RetiredKey        Name = "retired_key"         // a signing key is used past its rotation
	RevokedKey        Name = "revoked_key"         // a signing key is used though it was revoked
	OverageKey        Name = "overage_key"         // a signing key is older than the policy allows
	KeyBackFromSleep  Name = "key_back_from_sleep" // a signing key is in use again after a long silence
	ActedAfterLeave   Name = "acted_after_leave"   // an account acts whose owner has left
	DormantWoke       Name = "dormant_woke"        // an account is in use again after a long silence
	OrphanAccountUsed Name = "orphan_account_used" // an account acts that belongs to nobody known
	Disowned          Name = "disowned"            // who was asked says that what an account did was not meant
	SourceSilent      Name = "source_silent"       // a source of events or facts has gone quiet
)

// The facts about weir itself. No register decides them, and nobody can expect them.
const (
	RefusedVerdict  Name = "refused_verdict"  // a verdict was given that does not count
	SettingsChanged Name = "settings_changed" // what decides who is alerted of what is another than before
)

// Own lists the facts about weir itself.
func Own() []Name { return []Name{RefusedVerdict, SettingsChanged} }

// Covers reports whether the fact is about what is read: all that its identity exposes
// since. A key over age reads what keys read; a silent source reads nothing.
func (n Name) Covers() bool {
	switch n {
	case OverageKey, SourceSilent, RefusedVerdict, SettingsChanged:
		return false
	default:
		return true
	}
}

// Names lists the facts that are not about weir itself.
func Names() []Name {
	return []Name{
		UnissuedToken, UnknownKey, RetiredKey, RevokedKey, OverageKey, KeyBackFromSleep,
		ActedAfterLeave, DormantWoke, OrphanAccountUsed, Disowned, SourceSilent,
	}
}
