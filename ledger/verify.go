package ledger

import (
	"errors"
	"fmt"
)

// FaultKind says what was done to a ledger.
type FaultKind string

// The kinds of fault.
const (
	Altered   FaultKind = "altered"   // a record's bytes are not those that were written
	Rewritten FaultKind = "rewritten" // a record is whole in itself, but not the one that the next, or a checkpoint, knows
	Missing   FaultKind = "missing"   // records are gone
	Moved     FaultKind = "moved"     // a record stands in another's place
	Inserted  FaultKind = "inserted"  // a record stands where none belongs
	Truncated FaultKind = "truncated" // the end is cut off
	Differs   FaultKind = "differs"   // what is chained is in force, and something else is at hand
)

// Fault is something that is wrong with a ledger.
type Fault struct {
	Kind  FaultKind `json:"kind"`
	Seq   int64     `json:"seq"`             // number of the record concerned
	Where string    `json:"where,omitempty"` // position of the record that shows it, as given to Add
	Text  string    `json:"text"`            // what is wrong, one sentence
}

// Verifier reads a ledger from its first record to its last. The zero value is
// ready. After a fault it goes on only to say better what kind of fault that
// is: a record that is missing here may stand further down.
type Verifier struct {
	Checkpoints []Checkpoint    // to be held against it, of one ledger, their signatures already checked
	Follow      func(r *Record) // is called with each record that is whole in itself; nil: nobody is
	Cut         *Cut            // where it begins; nil: with its first record
	Uncut       error           // why a cut that tells of the records before does not count; nil: there is none

	tree    Tree           // tree over the records up to the head
	agrees  int64          // number of records of the last checkpoint that agrees
	newest  *Checkpoint    // the newest of Checkpoints; nil: there is none, or no record was counted yet
	since   map[Kind]int64 // records after the newest checkpoint
	head    Head
	before  Head // the head before the last record
	where   string
	records int64
	kinds   map[Kind]int64
	fault   *Fault
	twin    *Record // the second of two records with one number; the next tells which belongs
}

// Result is what a Verifier found.
type Result struct {
	Records int64          `json:"records"`
	Kinds   map[Kind]int64 `json:"kinds"`
	Since   map[Kind]int64 `json:"since,omitempty"` // records after the newest checkpoint, by kind
	Head    Head           `json:"head"`            // end of the part before the fault, if there is one
	Cut     *Cut           `json:"cut,omitempty"`   // by which the records before the first were deleted
	Tree    Tree           `json:"-"`               // tree over the records up to Head
	Fault   *Fault         `json:"-"`
}

// Add takes in the next record as it stands at a position, such as "offset 17".
func (v *Verifier) Add(where string, b []byte) {
	if v.records == 0 && v.Cut != nil {
		v.head, v.tree = v.Cut.Head, v.Cut.Tree
		v.against(where)
	}
	v.records++
	r, err := Parse(b)
	if err == nil {
		v.count(r)
	}
	switch {
	case v.fault != nil:
		v.refine(where, r)
	case errors.Is(err, ErrAltered):
		v.set(Altered, v.head.Seq+1, where, fmt.Sprintf("the record after number %d was altered: %v", v.head.Seq, err))
	case err != nil:
		v.set(Altered, v.head.Seq+1, where, fmt.Sprintf("what stands after record %d is no record: %v", v.head.Seq, err))
	default:
		v.follow(where, r, b)
	}
}

// count counts a record that is whole in itself.
func (v *Verifier) count(r *Record) {
	if v.kinds == nil {
		v.kinds, v.since, v.newest = map[Kind]int64{}, map[Kind]int64{}, Newest(v.Checkpoints)
	}
	v.kinds[r.Kind]++
	if v.newest != nil && r.Seq > v.newest.Size {
		v.since[r.Kind]++
	}
	if v.Follow != nil {
		v.Follow(r)
	}
}

// follow checks that a record that is whole follows from the one before.
func (v *Verifier) follow(where string, r *Record, b []byte) {
	switch want := v.head.Seq + 1; {
	case r.Seq > want:
		v.set(Missing, want, where, fmt.Sprintf("%s: after record %d comes record %d", missing(want, r.Seq), v.head.Seq, r.Seq))
		if want == 1 && v.Uncut != nil {
			v.fault.Text += "; " + v.Uncut.Error()
		}
	case r.Seq == v.head.Seq && r.Seq > 0:
		v.set(Inserted, r.Seq, where, fmt.Sprintf("two records have the number %d; one of them was inserted", r.Seq))
		v.twin = r
	case r.Seq < want:
		v.set(Inserted, r.Seq, where, fmt.Sprintf("after record %d stands one with the number %d, which was inserted", v.head.Seq, r.Seq))
	case r.Prev != v.head.Hash:
		v.set(Rewritten, v.head.Seq, v.where, fmt.Sprintf("record %d is not the one from which record %d follows: one of them was rewritten", v.head.Seq, r.Seq))
		if v.head.Seq == 0 {
			v.fault.Seq, v.fault.Text = 1, "record 1 is not the first of its chain: it was rewritten, or others stood before it"
		}
	default:
		v.before, v.head, v.where = v.head, Head{r.Seq, r.Hash}, where
		v.tree.Add(b)
		v.against(where)
	}
}

func missing(from, to int64) string {
	if from+1 == to {
		return fmt.Sprintf("record %d is missing", from)
	}
	return fmt.Sprintf("records %d to %d are missing", from, to-1)
}

// against holds the tree against the checkpoints of its size.
func (v *Verifier) against(where string) {
	for _, c := range v.Checkpoints {
		switch {
		case c.Size != v.head.Seq:
		case c.Root == v.tree.Root():
			v.agrees = c.Size
		default:
			before := "no earlier checkpoint says which"
			if v.agrees > 0 {
				before = fmt.Sprintf("they are after record %d, up to which the checkpoint before agrees", v.agrees)
			}
			v.set(Rewritten, c.Size, where, fmt.Sprintf("the first %d records are not those of the checkpoint that was made of them: some were rewritten since; %s", c.Size, before))
			return
		}
	}
}

// Newest returns the checkpoint of the most records, nil if there is none.
func Newest(checkpoints []Checkpoint) (newest *Checkpoint) {
	for i := range checkpoints {
		if newest == nil || checkpoints[i].Size >= newest.Size {
			newest = &checkpoints[i]
		}
	}
	return newest
}

// refine uses what stands after a fault to name it better.
func (v *Verifier) refine(where string, r *Record) {
	if r == nil {
		return
	}
	switch {
	case v.fault.Kind == Missing && r.Seq == v.fault.Seq:
		v.fault.Kind = Moved
		v.fault.Text = fmt.Sprintf("record %d stands further down, at %s: records were put into another order", r.Seq, where)
	case v.twin != nil && r.Seq == v.twin.Seq+1:
		first := v.head // whose number the twin has
		switch r.Prev {
		case first.Hash:
			v.fault.Text = fmt.Sprintf("two records have the number %d; the second was inserted, since record %d follows from the first", r.Seq-1, r.Seq)
		case v.twin.Hash:
			v.fault.Where = v.where
			v.fault.Text = fmt.Sprintf("two records have the number %d; the first was inserted, since record %d follows from the second", r.Seq-1, r.Seq)
			v.head = v.before
		}
		v.twin = nil
	}
}

func (v *Verifier) set(kind FaultKind, seq int64, where, text string) {
	v.fault = &Fault{kind, seq, where, text}
}

// End returns what was found once all records were added. known is a head that
// weir's own state knows of; zero if there is none.
func (v *Verifier) End(known Head) Result {
	ends := v.checkEnd(known.Seq, "weir's state knows of record %d")
	for _, c := range v.Checkpoints {
		if !ends {
			break
		}
		ends = v.checkEnd(c.Size, "a checkpoint knows of record %d")
	}
	if v.fault == nil && known.Seq == v.head.Seq && known.Hash != v.head.Hash {
		v.set(Rewritten, known.Seq, v.where, fmt.Sprintf("record %d is not the one that weir's state knows of: the end was rewritten", known.Seq))
	}
	return Result{Cut: v.Cut, Records: v.records, Kinds: v.kinds, Since: v.since, Head: v.head, Tree: v.tree, Fault: v.fault}
}

func (v *Verifier) checkEnd(seq int64, who string) bool {
	if v.fault == nil && v.head.Seq < seq {
		v.set(Truncated, v.head.Seq+1, v.where, fmt.Sprintf("the ledger ends with record %d, but "+who+": the end was cut off", v.head.Seq, seq))
	}
	return v.fault == nil
}
