package alerting

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Outcome tells how the delivery of one message to one destination ended.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // the receiver took it
	Rejected  Outcome = "rejected"  // the receiver refused it for good; a person must change something
	GivenUp   Outcome = "given_up"  // attempts or time ran out while the receiver was failing
)

func (o Outcome) valid() bool { return o == Delivered || o == Rejected || o == GivenUp }

// Delivery is the record of one message's way to one destination, kept in the
// delivery log. What was not delivered is a dead letter: the record says why,
// the alert itself is found under its key on weir.alerts.
type Delivery struct {
	DedupKey    string  `json:"dedup_key"`
	Status      Status  `json:"status"`
	Time        Time    `json:"time"` // of the alert, event time
	Destination string  `json:"destination"`
	Outcome     Outcome `json:"outcome"`
	Attempts    int     `json:"attempts"`            // made, the last one included
	Reason      string  `json:"reason,omitempty"`    // why not, or what the last failed attempt said; no secrets
	Reference   string  `json:"reference,omitempty"` // what the receiver calls the episode's message, see Referrer
	At          Time    `json:"at"`                  // wall clock at the outcome
}

// MaxReason bounds the reason of a delivery record, in bytes.
const MaxReason = 512

// AppendJSON appends the record as one line of JSON, without the newline, with
// its keys in the order of the struct; an empty reason or reference is left out.
func (d *Delivery) AppendJSON(b []byte) []byte {
	b = appendText(b, `{"dedup_key":`, d.DedupKey)
	b = appendText(b, `,"status":`, string(d.Status))
	b = appendTime(b, `,"time":`, d.Time)
	b = appendText(b, `,"destination":`, d.Destination)
	b = appendText(b, `,"outcome":`, string(d.Outcome))
	b = append(b, `,"attempts":`...)
	b = strconv.AppendInt(b, int64(d.Attempts), 10)
	if d.Reason != "" {
		b = appendText(b, `,"reason":`, d.Reason)
	}
	b = appendSome(b, `,"reference":`, d.Reference)
	b = appendTime(b, `,"at":`, d.At)
	return append(b, '}')
}

// ParseDelivery reads one record as AppendJSON writes it; unknown keys are
// ignored.
func ParseDelivery(b []byte) (*Delivery, error) {
	d := new(Delivery)
	if err := parseOne(b, d); err != nil {
		return nil, fmt.Errorf("reading a delivery record: %w", err)
	}
	switch {
	case d.DedupKey == "":
		return nil, fmt.Errorf("reading a delivery record: dedup_key is missing or empty")
	case d.Destination == "":
		return nil, fmt.Errorf("reading a delivery record: destination is missing or empty")
	case !d.Status.valid():
		return nil, fmt.Errorf("reading a delivery record: status is %q, want open, update or close", d.Status)
	case !d.Outcome.valid():
		return nil, fmt.Errorf("reading a delivery record: outcome is %q, want delivered, rejected or given_up", d.Outcome)
	}
	return d, nil
}

// Printable returns s on one line of at most limit bytes, with everything that
// does not print replaced by '?' and a cut shown by '…'. Identities and
// receivers' answers are other people's words: they must not steer a terminal
// or forge a line of a log.
func Printable(s string, limit int) string {
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		left := limit - b.Len()
		rest := len(s) - i
		if rest > left && left < utf8.RuneLen(r)+len("…") {
			if left >= len("…") {
				b.WriteString("…")
			}
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
