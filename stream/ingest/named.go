package ingest

import "slices"

// namesOfRecord knows what a record that is being written calls identities: names stand
// once in a record, in a table.
type namesOfRecord struct {
	record int32 // the number of the record in its flush, from 1 on
	named  []nameReference
}

// nameReference is what the record called an identity that named it last.
type nameReference struct{ record, reference int32 }

// begin begins a flush of so many identities.
func (n *namesOfRecord) begin(identities int) {
	n.named = slices.Grow(n.named[:0], identities)[:identities]
	clear(n.named)
	n.record = 0
}

// next begins a record.
func (n *namesOfRecord) next() { n.record++ }

// reference returns what the record calls an identity, by its place; false if it was not
// named yet.
func (n *namesOfRecord) reference(place int32) (int32, bool) {
	r := &n.named[place]
	return r.reference, r.record == n.record
}

// refer notes what the record calls an identity.
func (n *namesOfRecord) refer(place, reference int32) {
	n.named[place] = nameReference{n.record, reference}
}
