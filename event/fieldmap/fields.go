package fieldmap

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/dchest/siphash"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/internal/zerocopy"
)

// shorten bounds a text, and notes where it had to.
func (d *Decoder) shorten(s string) string {
	if len(s) <= event.MaxText {
		return s
	}
	d.ev.Notes |= event.TextShortened
	from := len(d.arena)
	d.arena = event.AppendShortened(d.arena, s)
	return zerocopy.String(d.arena[from:])
}

// time fills the event time from the first source that has any.
func (d *Decoder) time(sources []source) (event.Reason, string) {
	path := ""
	for i := range sources {
		src := &sources[i]
		if path == "" {
			path = src.path
		}
		var ms int64
		var ok bool
		if src.join != nil {
			s := d.joined(src)
			if s == "" {
				continue
			}
			ms, ok = parseTime(zerocopy.Bytes(s))
		} else {
			v := d.s.slots[src.slot]
			if v.kind <= null || v.kind == text && v.lo == v.hi {
				continue
			}
			ms, ok = d.instant(v, src.unit)
		}
		switch {
		case !ok:
			return event.TimeUnreadable, src.path
		case ms < event.MinTime || ms >= event.MaxTime:
			return event.TimeOutOfRange, src.path
		}
		d.ev.Time = ms
		return accepted, ""
	}
	return event.TimeMissing, path
}

// instant returns a value as Unix milliseconds; false if it is no time. An
// integer too large for 64 bits comes back as one out of range.
func (d *Decoder) instant(v value, unit int64) (int64, bool) {
	s, _ := d.scalar(v)
	switch v.kind {
	case text:
		return parseTime(zerocopy.Bytes(s))
	case integer:
		n, err := strconv.ParseInt(s, 10, 64)
		const ms = 1_000_000
		switch {
		case err != nil || n < 0:
			return -1, true
		case unit <= ms:
			return n / (ms / unit), true
		case n > event.MaxTime:
			return event.MaxTime, true
		}
		return n * (unit / ms), true
	}
	return 0, false
}

// rows fills the row count.
func (d *Decoder) rows(sources []source) (event.Reason, string) {
	for i := range sources {
		src := &sources[i]
		s := src.constant
		switch {
		case s != "":
		case src.join != nil:
			s = d.joined(src)
		default:
			v := d.s.slots[src.slot]
			if v.kind <= null {
				continue
			}
			var ok bool
			if s, ok = d.scalar(v); !ok {
				return event.RowsInvalid, src.path
			}
		}
		if s == "" {
			continue
		}
		if digits(zerocopy.Bytes(s), 0) != len(s) {
			return event.RowsInvalid, src.path
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n > event.MaxRows { // all digits: the only error is the range
			n = event.MaxRows
			d.ev.Notes |= event.RowsCapped
		}
		d.ev.Rows = n
		return accepted, ""
	}
	return accepted, ""
}

// records fills the records from the first source that has any.
func (d *Decoder) records(sources []source) (event.Reason, string) {
	for i := range sources {
		src := &sources[i]
		from := len(d.ids)
		if src.list < 0 {
			s := src.constant
			if src.join != nil {
				s = d.joined(src)
			}
			d.record(s)
		} else {
			for k, v := range d.s.lists[src.list] {
				if v.kind == null {
					continue
				}
				if v.kind != text && v.kind != integer {
					return event.RecordInvalid, d.listPath(src, k)
				}
				s, _ := d.scalar(v)
				d.record(s)
			}
		}
		if len(d.ids) > from {
			d.ev.Records = d.ids[from:len(d.ids):len(d.ids)]
			d.capRecords()
			break
		}
	}
	return accepted, ""
}

// record adds one record, if it is not empty.
func (d *Decoder) record(s string) {
	if s != "" {
		d.ids = append(d.ids, d.shorten(s))
	}
}

// listPath is the path of the k-th value of a list. Where the path already steps
// through an array, elements without a value are not counted, and k would mislead.
func (d *Decoder) listPath(src *source, k int) string {
	if strings.Contains(src.path, elements) || d.s.slots[src.slot].kind != array {
		return src.path
	}
	return src.path + "[" + strconv.Itoa(k) + "]"
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

// address returns the canonical form of the source address; "" with a note if
// what stands there is none. A port is cut off, a zone too, and an IPv4 address
// in an IPv6 one is taken out, so that one host has one identity.
func (d *Decoder) address(sources []source) string {
	s, _, _ := d.text(sources)
	if s == "" {
		return ""
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		port, err := netip.ParseAddrPort(s)
		if err != nil {
			d.ev.Notes |= event.IPInvalid
			return ""
		}
		addr = port.Addr()
	} else if addr.Is4() {
		return s // has one form only
	}
	d.scratch = addr.Unmap().WithZone("").AppendTo(d.scratch[:0])
	if string(d.scratch) == s {
		return s
	}
	return d.store(d.scratch)
}

// endpoint returns the endpoint with ids taken out, no longer than MaxText.
func (d *Decoder) endpoint(sources []source) string {
	s, _, _ := d.text(sources)
	if strings.IndexByte(s, '/') < 0 && strings.IndexByte(s, '?') < 0 {
		return d.shorten(s)
	}
	if out, changed := event.AppendEndpoint(d.scratch[:0], s); changed {
		d.scratch = out
		s = d.store(out)
	}
	return d.shorten(s)
}
