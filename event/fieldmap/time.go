package fieldmap

import (
	"fmt"
	"strconv"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/jsonscan"
	"github.com/weirhq/weir/event/timeform"
	"github.com/weirhq/weir/internal/zerocopy"
)

// time fills the event time from the first source that has one that can be read. A
// time in the usual forms, or in those that the map names, comes before one whose
// form is guessed. If there is none, the first source that had any is at fault.
func (d *Decoder) time(sources []source) (event.Reason, string) {
	if src := &sources[0]; src.bare && src.forms == nil { // most are such
		if ms, ok := d.usualTime(d.s.Slots[src.slot]); ok && ms >= event.MinTime && ms < event.MaxTime {
			d.ev.Time = ms
			return accepted, ""
		}
	}
	why, at := event.TimeMissing, ""
	for _, guess := range [...]bool{false, true} {
		for i := range sources {
			src := &sources[i]
			if at == "" {
				at = src.path
			}
			if guess && src.forms != nil {
				continue
			}
			reason := d.timeOf(src, guess)
			if reason == accepted {
				return accepted, ""
			}
			if reason != event.TimeMissing && (why == event.TimeMissing || guess && (reason == event.TimeNoZone || reason == event.TimeNoYear)) {
				why, at = reason, src.path
			}
		}
		if why == event.TimeMissing {
			break
		}
	}
	return why, at
}

// usualTime returns the time that a value is in the usual forms: RFC 3339, and integer
// milliseconds.
func (d *Decoder) usualTime(v jsonscan.Value) (ms int64, ok bool) {
	text := d.buf[v.Lo:v.Hi]
	switch {
	case v.Kind == jsonscan.Text:
		return timeform.RFC3339(text)
	case v.Kind == jsonscan.Integer && len(text) < len("1000000000000000"): // all of the range of event times
		for _, c := range text {
			if ms = ms*10 + int64(c-'0'); c == '-' {
				return 0, false
			}
		}
		return ms, true
	}
	return 0, false
}

// timeOf fills the event time from one source, and returns what is wrong with it.
func (d *Decoder) timeOf(src *source, guess bool) event.Reason {
	v := jsonscan.Value{}
	s := ""
	if src.join != nil {
		if s = d.joined(src); s == "" {
			return event.TimeMissing
		}
		v.Kind = jsonscan.Text
	} else {
		v = d.s.Slots[src.slot]
		if v.Kind <= jsonscan.Null || v.Kind == jsonscan.Text && v.Lo == v.Hi {
			return event.TimeMissing
		}
		switch v.Kind {
		case jsonscan.Object:
			v, s = d.timeObject(v)
		case jsonscan.Array:
			v, s = d.timeArray(v)
		default:
			s, _ = d.scalar(v)
		}
		if s == "" {
			return event.TimeUnreadable
		}
	}
	if src.edits != nil {
		if s = src.edits.one(d, s); s == "" {
			return event.TimeMissing
		}
	}
	ms, outcome := readTime(src, timeform.Beside{Zone: src.zone, Until: d.until()}, v.Kind, s, guess)
	switch {
	case outcome == timeform.NoZone:
		return event.TimeNoZone
	case outcome == timeform.NoYear:
		return event.TimeNoYear
	case outcome == timeform.Unreadable:
		return event.TimeUnreadable
	case ms < event.MinTime || ms >= event.MaxTime:
		return event.TimeOutOfRange
	}
	if guess {
		d.ev.Notes |= event.TimeGuessed
	}
	d.ev.Time = ms
	return accepted
}

// until returns what times without a year are before: a day after the value was written,
// since clocks differ, or else what the format says. 0 is not known.
func (d *Decoder) until() int64 {
	if d.written > 0 {
		return d.written + 24*60*60*1000
	}
	return d.f.until
}

// readTime reads a time by the forms of its source; where it names none, as RFC 3339
// or integer milliseconds, or as what it must be.
func readTime(src *source, beside timeform.Beside, k jsonscan.Kind, s string, guess bool) (ms int64, outcome timeform.Outcome) {
	switch {
	case guess:
		return timeform.Guess(s, beside, event.MinTime, event.MaxTime)
	case src.forms != nil:
		for _, f := range src.forms {
			got, o := f.Read(s, beside)
			if o == timeform.OK && got >= event.MinTime && got < event.MaxTime {
				return got, o
			}
			if o > outcome {
				ms, outcome = got, o
			}
		}
		return ms, outcome
	case k == jsonscan.Text:
		if ms, ok := timeform.RFC3339(zerocopy.Bytes(s)); ok {
			return ms, timeform.OK
		}
	case k == jsonscan.Integer:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			n = -1 // out of range
		}
		return n, timeform.OK
	}
	return 0, timeform.Unreadable
}

// timeArray returns the time that a list holds, as Java writes one without a zone: year,
// month, day, hour, minute, second, nanosecond, of which the last two may be missing. "" if
// it holds none.
func (d *Decoder) timeArray(v jsonscan.Value) (jsonscan.Value, string) {
	var parts [7]int64
	n := 0
	d.each(v.Lo, func(at int) {
		one := d.aside.ScalarAt(d.buf, at)
		got, err := strconv.ParseInt(zerocopy.String(d.buf[one.Lo:one.Hi]), 10, 64)
		if one.Kind != jsonscan.Text && err == nil && n < len(parts) && got >= 0 && got < 1e9 {
			parts[n] = got
			n++
		} else {
			n = len(parts) + 1 // not a time
		}
	})
	if n < 5 || n > len(parts) {
		return v, ""
	}
	return jsonscan.Value{Kind: jsonscan.Text}, fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d.%09d", parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6])
}

// timeParts are what an object that is a time holds: as MongoDB writes it, and as
// protobuf, Firestore, Java and Log4j do.
var timeParts = newTimeParts()

type timePattern struct {
	pattern              *jsonscan.Pattern
	date, number         int
	seconds, nanoseconds [4]int
}

func newTimeParts() timePattern {
	p := jsonscan.NewPattern()
	slot := func(path string) int {
		steps, err := jsonscan.ParsePath(path)
		if err != nil {
			panic(err) // the paths below can be read
		}
		n, err := p.Slot(steps)
		if err != nil {
			panic(err) // there are fewer keys than a pattern can hold
		}
		return n
	}
	return timePattern{
		pattern: p, date: slot("$date"), number: slot("$date.$numberLong"),
		seconds:     [4]int{slot("seconds"), slot("_seconds"), slot("epochSecond"), slot("epochSecond")},
		nanoseconds: [4]int{slot("nanos"), slot("_nanoseconds"), slot("nanoOfSecond"), slot("nano")},
	}
}

// timeObject returns the time that an object holds, as a value of another kind and
// its text; "" if it holds none.
func (d *Decoder) timeObject(v jsonscan.Value) (jsonscan.Value, string) {
	s := &d.aside
	s.Reset(d.buf, timeParts.pattern)
	s.Value(v.Lo, &timeParts.pattern.Root, 0)
	if n := s.Slots[timeParts.number]; n.Kind > jsonscan.Null {
		got, _ := d.scalar(n)
		return jsonscan.Value{Kind: jsonscan.Integer}, got
	}
	if date := s.Slots[timeParts.date]; date.Kind > jsonscan.Null && date.Kind < jsonscan.Object {
		got, _ := d.scalar(date)
		return date, got
	}
	for i := range timeParts.seconds {
		seconds, _ := d.scalar(s.Slots[timeParts.seconds[i]])
		n, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil || n < 0 || n > event.MaxTime {
			continue
		}
		rest, _ := d.scalar(s.Slots[timeParts.nanoseconds[i]])
		if next := i + 1; rest == "" && next < len(timeParts.seconds) && timeParts.seconds[next] == timeParts.seconds[i] {
			continue // the nanoseconds have another name
		}
		nanos, _ := strconv.ParseInt(rest, 10, 64)
		return jsonscan.Value{Kind: jsonscan.Integer}, strconv.FormatInt(n*1000+nanos/1_000_000, 10)
	}
	return jsonscan.Value{}, ""
}
