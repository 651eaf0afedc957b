// Package event holds the access event, the one thing weir takes in: who read
// which customer records, when, by which key, from where.
//
// It names the identities behind an event, and hashes record ids under a secret
// key, so that nothing raw goes further than ingest. Package fieldmap makes events
// of the records of any source, package files opens them. An event knows no Kafka,
// no file, no clock and no state.
package event

import (
	"strings"
)

// Action says what an event did. Accesses touch customer records; facts tell
// something about an account, a key or a token.
type Action uint8

// The actions. The zero value is Read, which is also what a missing or unknown
// action is taken for.
const (
	Read Action = iota
	List
	Export
	Update
	Delete
	Login  // a person or service signed in
	Issue  // a token or key was issued
	Logout // a session ended
	Revoke // a token or key was revoked before its time
	Retire // a signing key was taken out of use
	Join   // a person joined
	Leave  // a person left
	numActions
)

// Access reports whether the action touches customer records; every other
// action is a fact.
func (a Action) Access() bool { return a <= Delete }

// Destroys reports whether the action changes or removes the records that it
// touches.
func (a Action) Destroys() bool { return a == Update || a == Delete }

// actionNames are the actions' names in the native form.
var actionNames = [numActions]string{
	Read: "read", List: "list", Export: "export", Update: "update", Delete: "delete",
	Login: "login", Issue: "issue", Logout: "logout", Revoke: "revoke", Retire: "retire",
	Join: "join", Leave: "leave",
}

// String returns the action's name in the native form, such as "read".
func (a Action) String() string {
	if a < numActions {
		return actionNames[a]
	}
	return "unknown"
}

// ParseAction returns the action of a native name, in whatever case; Read and
// false if there is none.
func ParseAction(name string) (Action, bool) {
	for a, n := range actionNames {
		if n == name {
			return Action(a), true
		}
	}
	for a, n := range actionNames {
		if strings.EqualFold(n, name) {
			return Action(a), true
		}
	}
	return Read, false
}

// ActionNames returns the names of all actions, accesses first.
func ActionNames() []string { return append([]string(nil), actionNames[:]...) }

// Event is one access or one fact. Absent fields are empty. Strings may alias
// the buffer of the decoder that made the event: they are valid until the next
// call of Decode, and who keeps one clones it.
//
// What a decoder hands out is already in its final form: ID, Actor, Role, Subject,
// KeyID, IP, Client, Endpoint and each record are at most MaxText bytes, IP is
// in the canonical form of RFC 5952 without a zone, Endpoint has {id} in place
// of ids, the Subject of a fact is filled from Actor or KeyID where the source
// named none, and the Actor of a login or logout from Subject. The native form has
// no field for SomeKeys.
type Event struct {
	Time     int64  // event time, Unix milliseconds, MinTime <= Time < MaxTime
	ID       string // unique id of the event, if the source has one
	Action   Action
	Notes    Notes  // oddities that did not reject the event
	SomeKeys bool   // the source tells of the issue of some keys only, so it names no register of all
	Actor    string // who acted
	Role     string // what the source says that the actor is: a role, a group, a kind of account
	Subject  string // whom or what a fact is about
	KeyID    string // token signing key or access key
	Session  string // token id; a secret, hashed before it goes anywhere
	IP       string // source address, valid if present
	Client   string // application or device
	Endpoint string
	Records  []string // customer record ids, as text, in the order of the source; may repeat
	Rows     int64    // rows read, when ids are not logged; 0 <= Rows <= MaxRows
}

// OnlyTime reports whether an event says nothing but when it was.
func (e *Event) OnlyTime() bool {
	return e.Actor == "" && e.Subject == "" && e.KeyID == "" && e.Session == "" && e.IP == "" && e.Client == "" && e.Endpoint == "" &&
		len(e.Records) == 0 && e.Rows == 0
}

// Clone returns a copy of e that shares no memory with a decoder.
func (e *Event) Clone() *Event {
	c := *e
	for _, s := range []*string{&c.ID, &c.Actor, &c.Role, &c.Subject, &c.KeyID, &c.Session, &c.IP, &c.Client, &c.Endpoint} {
		*s = strings.Clone(*s)
	}
	if e.Records != nil {
		c.Records = make([]string, len(e.Records))
		for i, r := range e.Records {
			c.Records[i] = strings.Clone(r)
		}
	}
	return &c
}

// CompleteFact fills in what a fact leaves unsaid: whom it is about, and that
// who signs in or out does so himself. An access stays as it is.
func (e *Event) CompleteFact() {
	if e.Action.Access() {
		return
	}
	if e.Subject == "" {
		e.Subject = impliedSubject(e)
	}
	if e.Actor == "" && (e.Action == Login || e.Action == Logout) {
		e.Actor = e.Subject
	}
}

// impliedSubject is whom a fact is about that names no subject: who acted, or
// else the key; for a key taken out of use, the key first. A session is never
// copied, for it is a secret.
func impliedSubject(ev *Event) string {
	if ev.Actor == "" || ev.Action == Retire && ev.KeyID != "" {
		return ev.KeyID
	}
	return ev.Actor
}
