package textform

import (
	"slices"
	"strconv"
	"strings"
)

// CEF makes an object of a line in ArcSight's Common Event Format. The fields of its
// header bear the names of CEF's dictionary, and those of the extension their own. A
// custom field is there by its label too: cs1Label=customer cs1=4711 is customer as
// well. What stands before CEF: is passed over.
func CEF(dst []byte, text string) ([]byte, bool) {
	s, ok := after(text, "CEF:")
	if !ok {
		return dst, false
	}
	o := newMembers(dst)
	for _, name := range []string{"version", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity"} {
		end := unescapedIndex(s, '|')
		if end < 0 {
			return dst, false
		}
		if end > 0 {
			o.add(name, unescapedCEF(s[:end]))
		}
		s = s[end+1:]
	}
	o.addPairs(pairs(s))
	return o.end()
}

// LEEF makes an object of a line in IBM's Log Event Extended Format 1.0 or 2.0. What
// stands before LEEF: is passed over.
func LEEF(dst []byte, text string) ([]byte, bool) {
	s, ok := after(text, "LEEF:")
	if !ok {
		return dst, false
	}
	o := newMembers(dst)
	var version string
	for _, name := range []string{"version", "deviceVendor", "deviceProduct", "deviceVersion", "eventId"} {
		var field string
		if field, s, ok = strings.Cut(s, "|"); !ok {
			return dst, false
		}
		if name == "version" {
			version = field
		}
		if field != "" {
			o.add(name, field)
		}
	}
	between := "\t"
	if strings.HasPrefix(version, "2") {
		// Version 2 names what separates its attributes, and may leave it out with its bar.
		if named, rest, found := strings.Cut(s, "|"); found && len(named) <= len("0x0009") && !strings.Contains(named, "=") {
			s = rest
			between = delimiter(named)
		}
	}
	if !strings.Contains(s, between) {
		o.addPairs(pairs(s)) // one attribute, or those of a sender that puts blanks between them
		return o.end()
	}
	var all [][2]string
	for attribute := range strings.SplitSeq(s, between) {
		if key, value, found := strings.Cut(strings.TrimSpace(attribute), "="); found && key != "" {
			all = append(all, [2]string{key, value})
		}
	}
	o.addPairs(all)
	return o.end()
}

// delimiter returns what separates the attributes of LEEF 2.0 by its name: a character,
// or its number in hexadecimal digits.
func delimiter(name string) string {
	low := strings.ToLower(name)
	hex, ok := strings.CutPrefix(strings.TrimPrefix(low, "0"), "x")
	if n, err := strconv.ParseUint(hex, 16, 16); ok && err == nil && n > 0 {
		return string(rune(n))
	}
	if name == "" || low == `\t` {
		return "\t"
	}
	return name
}

// after returns what comes after a mark, which stands at the beginning or after a blank.
func after(text, mark string) (string, bool) {
	before, s, ok := strings.Cut(strings.TrimRight(text, "\r\n"), mark)
	return s, ok && (before == "" || strings.HasSuffix(before, " ") || strings.HasSuffix(before, "\t"))
}

// addPairs appends members, and those of custom fields by their labels too. Of a key that
// stands twice the first counts.
func (o *members) addPairs(all [][2]string) {
	seen := make(map[string]string, len(all))
	for _, p := range all {
		if _, twice := seen[p[0]]; !twice {
			seen[p[0]] = p[1]
			o.add(p[0], p[1])
		}
	}
	for _, p := range all {
		field, ok := strings.CutSuffix(p[0], "Label")
		value, there := seen[field]
		if _, taken := seen[p[1]]; ok && there && !taken && p[1] != "" {
			seen[p[1]] = value
			o.add(p[1], value)
		}
	}
}

// pairs returns the pairs of an extension of CEF: a key is a word before an equals sign,
// and its value goes on to the next key.
func pairs(s string) [][2]string {
	var all [][2]string
	from, word := -1, 0 // where the value at hand begins, and the last word
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ' ':
			word = i + 1
		case '=':
			key := s[word:i]
			if len(key) > maxKey || !isKey(key) {
				continue
			}
			if from >= 0 {
				all[len(all)-1][1] = s[from:max(from, i-len(key)-1)]
			}
			all = append(all, [2]string{key})
			from = i + 1
		}
	}
	if from >= 0 {
		all[len(all)-1][1] = s[from:]
	}
	all = slices.DeleteFunc(all, func(p [2]string) bool { return strings.TrimSpace(p[1]) == "" })
	for i := range all {
		all[i][1] = unescapedCEF(strings.TrimSpace(all[i][1]))
	}
	return all
}

// maxKey is the longest key in bytes, so that a text of equals signs costs no more than
// its length.
const maxKey = 200

// isKey reports whether a text can be a key of an extension.
func isKey(s string) bool {
	for _, c := range []byte(s) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && c-'0' > 9 && c != '_' && c != '.' && c != '-' && c != '[' && c != ']' {
			return false
		}
	}
	return s != ""
}

// unescapedIndex returns where a character stands without a backslash before it; -1 if
// nowhere.
func unescapedIndex(s string, c byte) int {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == c {
			return i
		}
	}
	return -1
}

// unescapedCEF takes the backslashes out of a value.
func unescapedCEF(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return cefEscapes.Replace(s)
}

// An escaped line end stays as it is: it would be a backslash and a letter of a name of
// Windows, which senders write without escaping it.
var cefEscapes = strings.NewReplacer(`\\`, `\`, `\=`, `=`, `\|`, `|`)
