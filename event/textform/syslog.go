package textform

import (
	"strings"

	"github.com/weirhq/weir/event"
)

// Header cuts off what stands before a record, and returns it as a JSON object; nil if
// nothing of the kind stands there.
type Header func(text string) (head []byte, rest string)

// Syslog cuts off the header of a line of syslog, as RFC 5424 and RFC 3164 have it, as
// daemons write it into files, and as network devices send it. The object holds
// priority, time, host, app, pid, msgid and data, those that are there. data is the
// structured data of RFC 5424: an object for each of its elements.
func Syslog(text string) (head []byte, rest string) {
	s := text
	if n := digits(s); n > 0 && strings.HasPrefix(s[n:], " <") { // a frame of RFC 6587: its length stands first
		s = s[n+1:]
	}
	o := newMembers(nil)
	marked := false
	if n := digits(strings.TrimPrefix(s, "<")); s != "" && s[0] == '<' && n > 0 && n <= 3 && strings.HasPrefix(s[n+1:], ">") {
		o.add("priority", s[1:n+1])
		s, marked = s[n+2:], true
	}
	if version, after, ok := strings.Cut(s, " "); ok && marked && version == "1" {
		s, ok = structured(&o, after)
		if !ok {
			return nil, text
		}
	} else if s, ok = plain(&o, s); !ok && !marked {
		return nil, text
	}
	s = strings.TrimPrefix(s, "\ufeff")
	s = strings.TrimLeft(strings.TrimPrefix(s, "@cee:"), " ") // JSON that says of itself what it is
	head, _ = o.end()
	return head, s
}

// structured takes what RFC 5424 has after the version, and returns the message.
func structured(o *members, s string) (message string, ok bool) {
	for _, name := range []string{"time", "host", "app", "pid", "msgid"} {
		var word string
		if word, s, ok = strings.Cut(s, " "); !ok {
			return "", false
		}
		if word != "-" && word != "" {
			o.add(name, word)
		}
	}
	if rest, none := strings.CutPrefix(s, "-"); none {
		return strings.TrimPrefix(rest, " "), true
	}
	data := newMembers(nil)
	for strings.HasPrefix(s, "[") {
		var element members
		var id string
		if id, element, s, ok = dataElement(s[1:]); !ok {
			return "", false
		}
		if inner, some := element.end(); some {
			data.addRaw(id, inner)
		}
	}
	if inner, some := data.end(); some {
		o.addRaw("data", inner)
	}
	return strings.TrimPrefix(s, " "), true
}

// dataElement takes an element of structured data, from after its bracket.
func dataElement(s string) (id string, element members, rest string, ok bool) {
	end := strings.IndexAny(s, " ]")
	if end <= 0 {
		return "", element, "", false
	}
	id, s = s[:end], s[end:]
	element = newMembers(nil)
	for {
		s = strings.TrimLeft(s, " ")
		if rest, closed := strings.CutPrefix(s, "]"); closed {
			return id, element, rest, true
		}
		name, after, found := strings.Cut(s, `="`)
		if !found || name == "" || strings.ContainsAny(name, ` ]"=`) {
			return "", element, "", false
		}
		end := indexOf(after, `"`)
		if end < 0 {
			return "", element, "", false
		}
		element.add(name, unescaped.Replace(after[:end]))
		s = after[end+1:]
	}
}

// unescaped takes the backslashes out of a value of structured data.
var unescaped = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\]`, `]`)

// plain takes a time, a host and a tag, as RFC 3164 describes them; false if no time
// stands first.
func plain(o *members, s string) (message string, ok bool) {
	if n := digits(s); n > 0 && n < 12 && strings.HasPrefix(s[n:], ": ") { // the number that a router counts
		s = s[n+2:]
	}
	s = strings.TrimLeft(s, "*.") // a router whose clock is not set
	n := timeLength(s)
	if n == 0 {
		return s, false
	}
	o.add("time", s[:n])
	s = strings.TrimPrefix(s[n:], ":")
	s = strings.TrimLeft(s, " ")
	if host, rest, found := strings.Cut(s, " "); found && isHost(host) {
		o.add("host", host)
		s = strings.TrimLeft(rest, " ")
	}
	tag, rest, found := strings.Cut(s, ": ")
	if !found {
		if tag, found = strings.CutSuffix(s, ":"); !found {
			return s, true
		}
	}
	app, pid, bracket := strings.Cut(tag, "[")
	if app == "" || len(tag) > maxTag || strings.ContainsAny(tag, ` {}="'|<>`) || bracket && !strings.HasSuffix(pid, "]") {
		return s, true
	}
	o.add("app", app)
	if bracket {
		o.add("pid", strings.TrimSuffix(pid, "]"))
	}
	return strings.TrimLeft(rest, " "), true
}

// maxTag is the longest tag in bytes; RFC 3164 has 32, and programs have longer names.
const maxTag = 80

// isHost reports whether the word after the time is a host, rather than the tag or what
// comes after it.
func isHost(word string) bool {
	return word != "" && !strings.HasSuffix(word, ":") && !strings.ContainsAny(word, `[]{}="'|<>,;`)
}

// timeLength returns how long the time is with which a text begins, in one of the forms
// of syslog; 0 if there is none.
func timeLength(s string) int {
	if word, _, _ := strings.Cut(s, " "); len(word) >= len("2006-01-02T15:04:05") && digits(word) == 4 && word[10] == 'T' && word[13] == ':' {
		return len(strings.TrimSuffix(word, ":"))
	}
	words := strings.SplitN(s, " ", 7)
	n, at := 0, 0
	next := func(fits func(string) bool) bool {
		for n < len(words) && words[n] == "" {
			at, n = at+1, n+1
		}
		if n == len(words) || !fits(strings.TrimSuffix(words[n], ":")) {
			return false
		}
		at, n = at+len(words[n])+1, n+1
		return true
	}
	if !next(isMonth) || !next(func(w string) bool { return digits(w) == len(w) && len(w) <= 2 && w != "" }) {
		return 0
	}
	next(func(w string) bool { return digits(w) == 4 && len(w) == 4 })
	if !next(func(w string) bool { return len(w) >= len("15:04:05") && w[2] == ':' && digits(w) == 2 }) {
		return 0
	}
	next(func(w string) bool { return w == "UTC" || w == "GMT" || w == "CET" || w == "CEST" })
	end := min(at-1, len(s))
	return len(strings.TrimSuffix(s[:end], ":"))
}

func isMonth(word string) bool {
	return len(word) == 3 && strings.Contains("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", word)
}

// digits returns how many digits a text begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n]-'0' < 10 {
		n++
	}
	return n
}

// addRaw appends a member whose value is JSON.
func (o *members) addRaw(key string, value []byte) {
	o.dst = append(o.dst, o.comma)
	o.dst = append(event.AppendText(o.dst, key), ':')
	o.dst = append(o.dst, value...)
	o.comma = ','
}
