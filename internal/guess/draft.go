package guess

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/event/jsonscan"
)

// draft is a field map in the making.
type draft struct {
	under    []string // the paths of the texts in which the list of events is, the outermost first
	explode  string   // the path of the list of events; "" for none
	parse    []string
	form     string // of the time, where it must be named
	noZone   bool
	zone     string // the line that says the zone, where the times do not
	yearless bool
	last     time.Time // when the file was written; zero if that is not known
	date     string    // the path of the date, where the time is that of the day alone
	unknown  string    // a value of the time, whose form is not known
	absent   bool      // some texts are "-"
	match    string    // what takes the record out of a URL
	actions  []string  // the values of the action
	fields   map[string]string
}

// draftOf makes a field map for documents.
func draftOf(docs [][]byte) *draft {
	l := gather(docs)
	d := &draft{fields: map[string]string{}}
	d.time(l)
	d.take(l, "ip", func(f *leaf) bool { return all(f, isAddress) })
	d.take(l, "records", func(f *leaf) bool { return all(f, isID) && !ends(f.path, "type") })
	d.take(l, "rows", func(f *leaf) bool { return all(f, isCount) })
	d.take(l, "actor", func(f *leaf) bool {
		return (!f.number && !all(f, isAddress) || len(f.unique) > 1) && !strings.Contains(letters(f.path), "useragent") && !ends(f.path, "type")
	})
	d.take(l, "action", func(f *leaf) bool { return len(f.unique) <= 40 && known(f) })
	d.take(l, "session", longText)
	d.take(l, "key_id", func(*leaf) bool { return true })
	d.take(l, "client", func(f *leaf) bool { return !f.number && !strings.HasPrefix(f.path, "device") }) // in CEF that is who logs
	d.take(l, "endpoint", func(f *leaf) bool { return !f.number && (!ends(f.path, "id") || ends(f.path, "class id")) })
	d.take(l, "role", func(f *leaf) bool { return !f.number })
	d.take(l, "id", func(f *leaf) bool { return len(f.unique) == f.count || len(f.unique) == 1000 })
	if f := l.byPath[d.absolute(d.fields["action"])]; f != nil {
		for s := range f.unique {
			d.actions = append(d.actions, s)
		}
		slices.Sort(d.actions)
	}
	d.recordInURL(l)
	for _, f := range l.all {
		d.absent = d.absent || f.unique["-"]
	}
	for path, form := range l.parsed {
		if base := d.base(); !slices.Contains(d.under, path) && (base == "" || strings.HasPrefix(path, base+".")) {
			d.parse = append(d.parse, quoted(d.relative(path))+": "+form)
		}
	}
	slices.Sort(d.parse)
	return d
}

// recordInURL finds the record in the path of a URL, where no field holds it.
func (d *draft) recordInURL(l *leaves) {
	f := l.byPath[d.absolute(d.fields["endpoint"])]
	if f == nil || d.fields["records"] != "" {
		return
	}
	for _, s := range f.texts {
		if match := event.Pattern(s); match != "" {
			d.fields["records"], d.match = d.fields["endpoint"], varying(match, f.texts)
			return
		}
	}
}

// varying returns a pattern that takes what follows the id of another, where that is the
// same in all URLs and what follows is not: the file, not the year of /files/2026/4711.
func varying(match string, urls []string) string {
	before := strings.TrimSuffix(match, "{id}")
	var common [][]string // by URL, the segments from the id on
	for _, url := range urls {
		if _, rest, ok := strings.Cut(url, before[1:]); ok {
			rest, _, _ = strings.Cut(rest, " ")
			rest, _, _ = strings.Cut(rest, "?")
			common = append(common, strings.Split(rest, "/"))
		}
	}
	for i := 0; len(common) > 0; i++ {
		for _, segments := range common {
			switch {
			case i >= len(segments):
				return match
			case segments[i] != common[0][i]:
				return before + strings.Repeat("*/", i) + "{id}"
			}
		}
	}
	return match
}

// take fills a field with the path whose name fits best, unless another has it.
func (d *draft) take(l *leaves, field string, fits func(*leaf) bool) {
	if f := d.pick(l, field, fits); f != nil {
		d.fields[field] = d.relative(f.path)
	}
}

// pick returns the leaf whose name fits a field best; nil if none does.
func (d *draft) pick(l *leaves, field string, fits func(*leaf) bool) *leaf {
	var best *leaf
	bestRank := 1 << 30
	for _, f := range l.all {
		if len(f.texts) == 0 || d.has(d.relative(f.path)) || !fits(f) {
			continue
		}
		r := rank(f.path, words[field])
		if r < 0 {
			continue
		}
		if list, _, ok := strings.Cut(d.relative(f.path), "[]"); ok && field != "records" && field != "time" {
			if field != "ip" && (field != "actor" || rank(strings.TrimSuffix(list, "s"), words[field]) < 0) {
				continue // it may be of many others
			}
			r += afterOthers
		}
		if field == "records" && f.count > 1 && len(f.unique) == 1 {
			r += afterOthers // few logs are about one customer
		}
		if strings.HasPrefix(f.path, "header.") {
			r += afterAll // what the record itself says comes first
		}
		if r < bestRank {
			best, bestRank = f, r
		}
	}
	return best
}

// afterOthers is more than any rank by a name, and afterAll more than any rank.
const afterOthers, afterAll = 1_000, 10_000

// has reports whether a path is taken.
func (d *draft) has(path string) bool {
	for _, p := range d.fields {
		if p == path {
			return true
		}
	}
	return false
}

// relative returns a path from the event, and absolute one from the document.
func (d *draft) relative(path string) string {
	base := d.base()
	if base == "" {
		return path
	}
	if rest, ok := strings.CutPrefix(path, base+"."); ok {
		return rest
	}
	return "$." + path
}

// base returns the path of an event in the document; "" for the document itself.
func (d *draft) base() string {
	if len(d.under) == 0 {
		return d.explode
	}
	inner := d.under[len(d.under)-1]
	if d.explode == "" || d.explode[0] == '[' {
		return inner + d.explode
	}
	return inner + "." + d.explode
}

func (d *draft) absolute(path string) string {
	if rest, ok := strings.CutPrefix(path, "$."); ok {
		return rest
	}
	if base := d.base(); base != "" && path != "" {
		return base + "." + path
	}
	return path
}

// rank returns how well the name of a path fits words, 0 the best; -1 for not. The
// last key counts; with the one before it where that says more (user.name).
func rank(path string, words []string) int {
	keys := keysIn(path)
	for len(keys) > 1 && strings.HasSuffix(strings.ToLower(keys[len(keys)-1]), "value") {
		keys = keys[:len(keys)-1] // the name of the pair says more
	}
	if len(keys) == 0 {
		return -1
	}
	last := keys[len(keys)-1]
	whole := letters(last)
	parts := split(last)
	if len(keys) > 1 && slices.Contains([]string{"id", "name", "value", "email", "uid", "ip", "text"}, whole) {
		parent := keys[len(keys)-2]
		if i := slices.Index(words, letters(parent)); i >= 0 {
			return 4*i + len(keys)
		}
		parts = append(split(parent), parts...)
		whole = letters(parent) + whole
	}
	for i, w := range words {
		switch {
		case whole == w:
			return 4*i + len(keys) - 1
		case slices.Contains(parts, w):
			return 100 + 4*i + len(keys)
		}
	}
	return -1
}

// keysIn returns the keys of a path, and the names that its conditions ask for.
func keysIn(path string) (keys []string) {
	steps, err := jsonscan.ParsePath(path)
	if err != nil {
		return nil
	}
	for _, s := range steps {
		for _, w := range s.Where {
			keys = append(keys, w.Path, w.Text)
		}
		if !s.Each {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// ends reports whether the name of a path ends in words, after others.
func ends(path, words string) bool {
	keys := keysIn(path)
	return strings.HasSuffix(strings.Join(split(strings.Join(keys[max(len(keys)-1, 0):], "")), " "), " "+words)
}

// letters returns a name in lower case without what joins its words.
func letters(name string) string {
	return strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || c == '@' || c == ' ' || c == ':' || c == '/' {
			return -1
		}
		return unicode.ToLower(c)
	}, name)
}

// split returns the words of a name, by what joins them or by a capital: userId, IPAddress,
// LOGIN_TIME.
func split(name string) []string {
	var b strings.Builder
	runes := []rune(name)
	for i, c := range runes {
		if i > 0 && unicode.IsUpper(c) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return strings.FieldsFunc(b.String(), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

// all reports whether all values of a leaf hold; of several one in three may be another,
// such as the sum below a table.
func all(f *leaf, holds func(string) bool) bool {
	n := 0
	for _, s := range f.texts {
		if holds(s) {
			n++
		}
	}
	return n > 0 && (n == len(f.texts) || n > 1 && n*3 >= len(f.texts)*2)
}

func isAddress(s string) bool {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, ",;"); i >= 0 {
		s = s[:i]
	}
	if _, err := netip.ParseAddrPort(s); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return err == nil
}

// isID reports whether a text can be the id of a record: short, and without blanks.
func isID(s string) bool {
	return len(s) <= 128 && !strings.ContainsAny(s, " \t\n") && s != "true" && s != "false"
}

func isCount(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func longText(f *leaf) bool { return all(f, func(s string) bool { return len(s) >= 6 }) }

// known reports whether at least one value of a leaf names an action.
func known(f *leaf) bool {
	for s := range f.unique {
		if actionOf(s) != "" {
			return true
		}
	}
	return false
}

// yaml returns the draft as a field map; head comes after its name.
func (d *draft) yaml(head string) string {
	if len(d.fields) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("name: mine\n" + head)
	if d.noZone {
		b.WriteString(d.zone)
	}
	if d.yearless && !d.last.IsZero() {
		b.WriteString(untilLine(d.last))
	} else if d.yearless {
		b.WriteString("# until: the times have no year; name the last day, as in 2026-03-31\n")
	}
	if d.absent {
		b.WriteString("absent: [\"-\"]\n")
	}
	b.WriteString(underLine(d.under))
	if d.explode != "" {
		fmt.Fprintf(&b, "explode: %s\n", quoted(d.explode))
	}
	if len(d.parse) > 0 {
		b.WriteString("parse:\n")
		for _, p := range d.parse {
			fmt.Fprintf(&b, "  %s\n", p)
		}
	}
	b.WriteString("maps:\n  - name: event\n    fields:\n")
	for _, field := range fieldmap.FieldNames() {
		path := d.fields[field]
		switch {
		case field == "action" && path != "":
			d.actionYAML(&b, path)
		case field == "time" && d.date != "":
			form := ""
			if d.form != "" {
				form = ", format: " + d.form
			}
			fmt.Fprintf(&b, "      time: {join: [%s, %s], separator: ' '%s}\n", quoted(d.date), quoted(path), form)
		case field == "time" && d.form != "":
			fmt.Fprintf(&b, "      time: {path: %s, format: %s}\n", quoted(path), d.form)
		case field == "time" && isDateTime(d.unknown):
			fmt.Fprintf(&b, "      time: %s  # is the day or the month first in %q? Name it: {path: …, format: eu}, or us\n", quoted(path), d.unknown)
		case field == "time" && d.unknown != "":
			fmt.Fprintf(&b, "      time: %s  # the form of %q is not known: name it, as in {path: …, format: …} (docs/formats.md)\n", quoted(path), d.unknown)
		case field == "records" && d.match != "":
			fmt.Fprintf(&b, "      records: {path: %s, match: %s}\n", quoted(path), quoted(d.match))
		case path != "":
			fmt.Fprintf(&b, "      %s: %s\n", field, quoted(path))
		case field == "time":
			b.WriteString("      time: TIME  # which path holds it?\n")
		case field == "actor" || field == "records":
			fmt.Fprintf(&b, "      # %s: which path holds it?\n", field)
		}
	}
	return b.String()
}

// actionYAML writes where the action comes from, with what its values mean.
func (d *draft) actionYAML(b *strings.Builder, path string) {
	fmt.Fprintf(b, "      action:\n        path: %s\n        values:\n", quoted(path))
	for _, name := range d.actions {
		if action := actionOf(name); action != "" {
			fmt.Fprintf(b, "          %s: %s\n", quoted(name), action)
		} else {
			fmt.Fprintf(b, "          # %s: which action is it? It counts as a read.\n", quoted(name))
		}
	}
}

// quoted returns a text as a YAML scalar.
func quoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.$0123456789-") == "" && unicode.IsLetter(rune(s[0])) {
		switch strings.ToLower(s) {
		case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		default:
			return s
		}
	}
	return "'" + strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "'", "''") + "'"
}
