package fieldmap

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dchest/siphash"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/internal/zerocopy"
)

// rows fills the row count from the first source that has one. What is no count is
// dropped with a note.
func (d *Decoder) rows(sources []source) {
	for i := range sources {
		src := &sources[i]
		s, ok := src.constant, true
		switch {
		case s != "":
		case src.join != nil:
			s = d.joined(src)
		default:
			v := d.s.Slots[src.slot]
			if v.Kind <= jsonscan.Null {
				continue
			}
			s, ok = d.name(v)
		}
		if ok && src.edits != nil {
			s = src.edits.one(d, s)
		}
		if ok && s == "" {
			continue
		}
		if !ok || jsonscan.Digits(zerocopy.Bytes(s), 0) != len(s) {
			d.ev.Notes |= event.RowsDropped
			continue
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n > event.MaxRows { // all digits: the only error is the range
			n = event.MaxRows
			d.ev.Notes |= event.RowsCapped
		}
		d.ev.Rows = n
		return
	}
}

// records fills the records from the first source that has any. What is no record
// id is dropped with a note.
func (d *Decoder) records(sources []source) {
	for i := range sources {
		src := &sources[i]
		from := len(d.ids)
		if src.list < 0 {
			s := src.constant
			if src.join != nil {
				s = d.joined(src)
			}
			d.record(src, s)
		} else {
			for _, v := range d.s.Lists[src.list] {
				if v.Kind == jsonscan.Null {
					continue
				}
				s, ok := d.name(v)
				if !ok {
					d.ev.Notes |= event.RecordDropped
					continue
				}
				d.record(src, s)
			}
		}
		if len(d.ids) > from {
			d.ev.Records = d.ids[from:len(d.ids):len(d.ids)]
			d.capRecords()
			return
		}
	}
}

// record adds a record, or those that a text separates, unless it is empty.
func (d *Decoder) record(src *source, s string) {
	switch e := src.edits; {
	case s == "":
		return
	case e == nil:
	case e.split != "":
		for part := range strings.SplitSeq(s, e.split) {
			if part = e.apply(d, part); part != "" {
				d.ids = append(d.ids, d.shorten(part))
			}
		}
		return
	default:
		s = e.apply(d, s)
	}
	if s != "" {
		d.ids = append(d.ids, d.shorten(s))
	}
}

// capRecords cuts a set of more than MaxRecords down to those with the smallest
// hashes. The hash has a fixed key: which records are kept is no secret, and
// must not depend on who decodes.
func (d *Decoder) capRecords() {
	ev := &d.ev
	if len(ev.Records) <= event.MaxRecords {
		return
	}
	type hashed struct {
		hash uint64
		id   string
	}
	all := make([]hashed, len(ev.Records))
	for i, id := range ev.Records {
		all[i] = hashed{siphash.Hash(0, 0, zerocopy.Bytes(id)), id}
	}
	slices.SortFunc(all, func(a, b hashed) int {
		if a.hash != b.hash {
			if a.hash < b.hash {
				return -1
			}
			return 1
		}
		return strings.Compare(a.id, b.id)
	})
	all = slices.Compact(all)
	if len(all) <= event.MaxRecords {
		return // many, but repeated: nothing is lost
	}
	ev.Notes |= event.RecordsCapped
	ev.Rows = max(ev.Rows, int64(len(all)))
	ev.Records = ev.Records[:event.MaxRecords]
	for i := range ev.Records {
		ev.Records[i] = all[i].id
	}
}
