package textform

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirhq/weir/event/jsonscan"
)

// Template takes texts apart that are written after one pattern: literals, and
// {name} for what is to be taken. {} takes what is not wanted, and {name:word} takes
// nothing that has a blank in it.
type Template struct {
	head  string // before the first part
	parts []templatePart
}

// templatePart is a part to be taken, and the literal after it.
type templatePart struct {
	name, after string
	word        bool // it has no blanks
}

// ParseTemplate reads the pattern of a template.
func ParseTemplate(s string) (*Template, error) {
	t := &Template{}
	head, rest, ok := strings.Cut(s, "{")
	if !ok {
		return nil, errors.New("a pattern needs at least one {name}")
	}
	t.head = head
	for ok {
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("the brace before %q is never closed", rest)
		}
		name, kind, typed := strings.Cut(inside, ":")
		if typed && kind != "word" {
			return nil, fmt.Errorf("a part of a text is {name} or {name:word}, not {%s}", inside)
		}
		after, rest, ok = strings.Cut(after, "{")
		if after == "" && ok {
			return nil, fmt.Errorf("something must stand between {%s} and the next part, to tell where it ends", inside)
		}
		t.parts = append(t.parts, templatePart{name: name, after: after, word: typed})
	}
	return t, nil
}

// Match calls take with each part of a text that has a name; false if the text
// does not follow the pattern as a whole.
func (t *Template) Match(s string, take func(name, value string)) bool {
	last := len(t.parts) - 1
	s, ok := t.match(s, t.parts[:last], take)
	if !ok {
		return false
	}
	p := t.parts[last]
	value, ok := strings.CutSuffix(s, p.after)
	return ok && p.took(value, take)
}

// match takes parts off the beginning of a text, and returns the rest.
func (t *Template) match(s string, parts []templatePart, take func(name, value string)) (rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, t.head); !ok {
		return "", false
	}
	for _, p := range parts {
		end := indexOf(s, p.after)
		if end < 0 || !p.took(s[:end], take) {
			return "", false
		}
		s = s[end+len(p.after):]
	}
	return s, true
}

// took hands on the value of a part; false if it is none.
func (p *templatePart) took(value string, take func(name, value string)) bool {
	if p.word && strings.ContainsAny(value, " \t") {
		return false
	}
	if p.name != "" {
		take(p.name, value)
	}
	return true
}

// indexOf returns where a literal begins in s; -1 if nowhere. A quotation mark
// that is escaped by a backslash is passed over.
func indexOf(s, literal string) int {
	if literal[0] != '"' {
		return strings.Index(s, literal)
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if strings.HasPrefix(s[i:], literal) {
			return i
		}
	}
	return -1
}

// form makes a JSON object of a text after the pattern.
func (t *Template) form(dst []byte, text string) ([]byte, bool) {
	o := newMembers(dst)
	if !t.Match(strings.TrimRight(text, "\r\n"), o.add) {
		return dst, false
	}
	return o.end()
}

// Any makes a JSON object of a text after the first pattern that fits.
func Any(patterns []*Template) jsonscan.Form {
	return func(dst []byte, text string) ([]byte, bool) {
		for _, t := range patterns {
			if out, ok := t.form(dst, text); ok {
				return out, true
			}
		}
		return dst, false
	}
}

// AnyHeader cuts off what the first pattern that fits takes of the beginning of a
// text. The pattern must not end in a part.
func AnyHeader(patterns []*Template) Header {
	return func(text string) (head []byte, rest string) {
		for _, t := range patterns {
			o := newMembers(nil)
			if rest, ok := t.match(text, t.parts, o.add); ok {
				head, _ = o.end()
				return head, rest
			}
		}
		return nil, text
	}
}

// Open reports whether the pattern ends in a part, which takes all that remains.
func (t *Template) Open() bool { return t.parts[len(t.parts)-1].after == "" }
