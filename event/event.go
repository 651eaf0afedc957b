// Package event holds the access event, the one thing weir takes in: who read
// which customer records, when, by which key, from where.
//
// It turns the records of any source (native JSON, OCSF, CloudTrail, a field
// map of the user's own) into events, names the identities behind an event,
// and hashes record ids under a secret key, so that nothing raw goes further
// than ingest. It knows no Kafka, no clock and no state.
package event

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

// Event is one access or one fact. Absent fields are empty. Strings may alias
// the buffer of the decoder that made the event: they are valid until the next
// call of Decode, and who keeps one clones it.
type Event struct {
	Time     int64  // event time, Unix milliseconds
	ID       string // unique id of the event, if the source has one
	Action   Action
	Actor    string // who acted
	Subject  string // whom or what a fact is about
	KeyID    string // token signing key or access key
	Session  string // token id; a secret, hashed before it goes anywhere
	IP       string // source address, valid if present
	Client   string // application or device
	Endpoint string
	Records  []string // customer record ids, as text
	Rows     int64    // rows read, when ids are not logged
}
