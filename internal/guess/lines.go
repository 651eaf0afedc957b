package guess

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/timeform"
)

// part is a piece of a line between blanks: a word, what is in quotation marks or
// brackets, or the value of key=value.
type part struct {
	before, after string // what stands around the value
	key           string // of key=value; "" for others
	value         string
}

// maxLineParts is how many parts of a line are looked at.
const maxLineParts = 40

// partsOf takes a line apart; nil if it has none or too many parts.
func partsOf(line string) (parts []part) {
	rest := strings.TrimRight(line, " \t\r\n")
	for rest != "" {
		bare := strings.TrimLeft(rest, " \t")
		p := part{before: rest[:len(rest)-len(bare)]}
		rest = bare
		if i := keyed.FindString(rest); i != "" {
			p.before, p.key, rest = p.before+i, i[:len(i)-1], rest[len(i):]
		}
		end := strings.IndexAny(rest, " \t")
		for _, pair := range []string{`""`, "[]"} {
			if !strings.HasPrefix(rest, pair[:1]) {
				continue
			}
			for i := 1; i < len(rest); i++ {
				if rest[i] == '\\' {
					i++
				} else if rest[i] == pair[1] && (i+1 == len(rest) || rest[i+1] == ' ') {
					p.before, p.after, rest, end = p.before+pair[:1], pair[1:], rest[1:], i-1
					break
				}
			}
		}
		if end < 0 {
			end = len(rest)
		}
		p.value = rest[:end]
		rest = rest[end+len(p.after):]
		if parts = append(parts, p); len(parts) > maxLineParts {
			return nil
		}
	}
	return parts
}

// keyed is the key of key=value.
var keyed = regexp.MustCompile(`^[A-Za-z_][\w.-]*=`)

// shapeOf returns what stands around the values of a line.
func shapeOf(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.before + "\x00" + p.after)
	}
	return b.String()
}

// maxShapes is how many patterns of lines are drafted.
const maxShapes = 4

// linesInput returns the input of a field map for lines of text, with a pattern for each
// frequent shape; "" if they have too many shapes, or one without a time.
func linesInput(text string) string {
	lines := linesOf(text)
	byShape, covered := map[string][][]part{}, 0
	var shapes []string
	for _, line := range lines {
		parts := partsOf(line)
		shape := shapeOf(parts)
		if byShape[shape] == nil && parts != nil {
			shapes = append(shapes, shape)
		}
		byShape[shape] = append(byShape[shape], parts)
	}
	slices.SortStableFunc(shapes, func(a, b string) int { return len(byShape[b]) - len(byShape[a]) })
	var patterns []string
	for _, shape := range shapes[:min(len(shapes), maxShapes)] {
		pattern := patternOf(byShape[shape])
		if pattern == "" {
			break
		}
		patterns = append(patterns, quoted(pattern))
		covered += len(byShape[shape])
	}
	if patterns == nil || covered*5 < len(lines)*4 {
		return ""
	}
	return "{text: [" + strings.Join(patterns, ", ") + "]}"
}

// patternOf returns the pattern of lines of one shape; "" if no part is a time.
func patternOf(lines [][]part) string {
	var b strings.Builder
	taken, timed := map[string]bool{}, false
	for i, p := range lines[0] {
		f := &leaf{}
		word := true
		for _, line := range lines {
			f.texts = append(f.texts, line[i].value)
			word = word && !strings.ContainsAny(line[i].value, " \t")
		}
		name := p.key
		if name == "" || taken[name] {
			name = meaningOf(f)
		}
		if name == "user_agent" && !strings.HasSuffix(p.before, `"`) { // others have slashes too
			name = ""
		}
		if name == "" || taken[name] {
			name = fmt.Sprintf("part%d", i+1)
		}
		taken[name] = true
		timed = timed || name == "time" || name == "clock"
		if strings.ContainsAny(p.before+p.after, "{}") {
			return ""
		}
		if word {
			name += ":word"
		}
		b.WriteString(p.before + "{" + name + "}" + p.after)
	}
	if !timed {
		return ""
	}
	return b.String()
}

// meanings are what the values of a part tell of it, by the name that a draft knows.
var meanings = []struct {
	name  string
	holds func(string) bool
}{
	{"time", func(s string) bool {
		_, o := timeform.Guess(s, timeform.Beside{}, event.MinTime, event.MaxTime)
		return o != timeform.Unreadable && len(s) >= len("1772442927.123")
	}},
	{"clock", isClock},
	{"date", isDate},
	{"ip", isAddress},
	{"request", regexp.MustCompile(`^[A-Z]{3,8} (/|https?://)`).MatchString},
	{"path", regexp.MustCompile(`^(/|https?://)`).MatchString},
	{"user", regexp.MustCompile(`^(arn:[^:]*:(iam|sts):.*|[\w.+-]+@[\w-]+\.[\w.-]+)$`).MatchString},
	{"request_id", regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`).MatchString},
	{"user_agent", regexp.MustCompile(`^[A-Za-z][\w.-]*/\d`).MatchString},
}

// meaningOf returns the name of what the values of a part are; "" if it is not known.
func meaningOf(f *leaf) string {
	for _, m := range meanings {
		if all(f, m.holds) {
			return m.name
		}
	}
	return ""
}
