package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// Copy holds the records of one kind against the topic that has the same bodies: what
// was sent to people against the topic from which it is sent, say. Both were written in
// the same transactions, so they are equal, record by record. Somebody who empties the
// topic, or writes to it, changes one of the two.
//
// The topic is read before the ledger and after it, since weir may go on meanwhile: what
// was there before must be chained, and what is chained must be there after.
type Copy struct {
	Topic                  string
	Kind                   Kind
	before, chained, after []Hash
}

// Before takes in a record of the topic, as it is read before the ledger.
func (c *Copy) Before(value []byte) { c.before = append(c.before, sha256.Sum256(value)) }

// Chained takes in a record of the ledger, and passes over those of other kinds.
func (c *Copy) Chained(r *Record) {
	if r.Kind == c.Kind {
		c.chained = append(c.chained, sha256.Sum256(r.Body))
	}
}

// After takes in a record of the topic, as it is read after the ledger.
func (c *Copy) After(value []byte) { c.after = append(c.after, sha256.Sum256(value)) }

// Fault returns the first thing by which the two differ, nil if there is none.
func (c *Copy) Fault() *Fault {
	for i := range c.before {
		if i == len(c.chained) {
			return &Fault{Inserted, 0, c.Topic, fmt.Sprintf("%s holds %d records, of which %d are chained: somebody else than weir has written there, or the ledger was written anew without them", c.Topic, len(c.before), i)}
		}
		if c.before[i] != c.chained[i] {
			return c.differs(i)
		}
	}
	for i := range c.chained {
		if i == len(c.after) {
			return &Fault{Missing, 0, c.Topic, fmt.Sprintf("the ledger holds %d records of the kind %s, %s has %d: the rest was deleted there", len(c.chained), c.Kind, c.Topic, i)}
		}
		if c.after[i] != c.chained[i] {
			return c.differs(i)
		}
	}
	return nil
}

func (c *Copy) differs(i int) *Fault {
	return &Fault{Rewritten, 0, c.Topic, fmt.Sprintf("record %d of %s is not the one that is chained as number %d of the kind %s: one of the two was changed, deleted or inserted", i+1, c.Topic, i+1, c.Kind)}
}

// Judged holds the verdicts that are chained, those that were refused too, against the
// topic on which they were given.
type Judged struct {
	Topic   string
	chained []verdictName
	given   map[verdictName]bool
}

// verdictName names a verdict: its id, and its signature.
type verdictName struct {
	ID        string `json:"id"`
	Signature string `json:"signature"`
}

// Chained takes in a record of the ledger, and passes over those of other kinds and what
// was never a verdict.
func (j *Judged) Chained(r *Record) {
	var body struct {
		Verdict verdictName `json:"verdict"`
	}
	if r.Kind != Verdict && r.Kind != Refusal || json.Unmarshal(r.Body, &body) != nil || body.Verdict.ID == "" {
		return
	}
	j.chained = append(j.chained, body.Verdict)
}

// Given takes in a record of the topic, as it is read after the ledger.
func (j *Judged) Given(value []byte) {
	var name verdictName
	if json.Unmarshal(bytes.TrimSpace(value), &name) != nil {
		return
	}
	if j.given == nil {
		j.given = map[verdictName]bool{}
	}
	j.given[name] = true
}

// Faults returns a fault for each verdict that took effect, or was refused, and stands
// nowhere.
func (j *Judged) Faults() (out []Fault) {
	for _, name := range j.chained {
		if !j.given[name] {
			out = append(out, Fault{Missing, 0, j.Topic, fmt.Sprintf("the ledger holds the verdict %s, which is not on %s: it was deleted there", name.ID, j.Topic)})
		}
	}
	return out
}
