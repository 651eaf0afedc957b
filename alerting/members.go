package alerting

import "strings"

// members returns one line for each of the heaviest members, and how many more there
// are that it does not name.
func members(m *Members) (out []string) {
	top := m.Top[:min(len(m.Top), MaxTop)]
	for i := range top {
		read := ""
		if top[i].Records > 0 { // a member without an episode of its own has no count
			read = plural(top[i].Records, "customer", "customers") + ", "
		}
		out = append(out, top[i].name()+": "+read+top[i].Severity.String())
	}
	if rest := m.Count - int64(len(top)+len(m.Also)); rest > 0 && len(out) > 0 {
		out = append(out, "and "+Group(rest)+" more")
	}
	return out
}

// names lists members in lines of about maxLine bytes.
func names(list []Member) (lines []string) {
	line := ""
	for i := range list {
		name := list[i].name()
		if line != "" && len(line)+len(name) > maxLine {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += ", "
		}
		line += name
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// name returns the noun and the name of a member, such as "user eve".
func (m *Member) name() string {
	return actorOf(m.Dimension).noun + " " + Printable(m.Identity, maxValue)
}

// Part returns the i-th of the messages, from 0, that name all whom an alert names for
// the first time, and whether it is the last. Each names them in at most room bytes, as
// text and with what markups escape, but one at the least; the alert is the same in all
// else. A room of 0 is one without bounds.
func (a *Alert) Part(i, room int) (part *Alert, last bool) {
	if a.Members == nil || room <= 0 {
		return a, true
	}
	rest := a.Members.Also
	for ; ; i-- {
		n := fitting(rest, room)
		if i == 0 {
			if n == len(a.Members.Also) {
				return a, true
			}
			m := *a.Members
			m.Also = rest[:n]
			out := *a
			out.Members = &m
			return &out, n == len(rest)
		}
		rest = rest[n:]
	}
}

// fitting returns how many of the first names fit in a room.
func fitting(list []Member, room int) int {
	for i := range list {
		name := list[i].name()
		room -= len(name) + len(", ") + escaping*strings.Count(name, "&") + escaping*strings.Count(name, "<") +
			escaping*strings.Count(name, ">") + strings.Count(name, `\`) + strings.Count(name, "=")
		if room < 0 && i > 0 {
			return i
		}
	}
	return len(list)
}

// escaping is by how many bytes "&amp;" is longer than "&".
const escaping = 4
