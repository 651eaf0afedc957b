package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/event/fieldmap"
)

// value is one kind of scalar bound to its place in a Config: how its text is
// read, how it is shown, and what documentation and schema say of it.
type value struct {
	kind   string                          // for people: "duration, 1s to 1h"
	parse  func(p *parser, t string) error // reads and sets; the error continues "<path>: <text> …"
	show   func() string                   // the present value as YAML text; "" for none
	schema map[string]any                  // JSON Schema of the literal form
	secret bool                            // never quote the text
}

// text is any text that passes the checks.
func text(into *string, checks ...func(string) error) value {
	return value{
		kind: "text",
		parse: func(_ *parser, t string) error {
			for _, check := range checks {
				if err := check(t); err != nil {
					return err
				}
			}
			*into = t
			return nil
		},
		show:   func() string { return quoteText(*into) },
		schema: map[string]any{"type": "string"},
	}
}

// oneOf is one of a few words.
func oneOf(into *string, words ...string) value {
	return value{
		kind: strings.Join(words, ", "),
		parse: func(_ *parser, t string) error {
			for _, w := range words {
				if t == w {
					*into = t
					return nil
				}
			}
			return errors.New("is not known; " + suggest(t, words))
		},
		show:   func() string { return *into },
		schema: map[string]any{"type": "string", "enum": words},
	}
}

func boolean(into *bool) value {
	return value{
		kind: "true or false",
		parse: func(_ *parser, t string) error {
			if t != "true" && t != "false" {
				return errors.New("is neither true nor false")
			}
			*into = t == "true"
			return nil
		},
		show:   func() string { return strconv.FormatBool(*into) },
		schema: map[string]any{"type": "boolean"},
	}
}

// integer is a whole number from low to high.
func integer(into *int, low, high int) value {
	return value{
		kind: fmt.Sprintf("whole number, %d to %d", low, high),
		parse: func(_ *parser, t string) error {
			n, err := strconv.Atoi(t)
			if err != nil {
				return fmt.Errorf("is not a whole number; want %d to %d", low, high)
			}
			if n < low || n > high {
				return fmt.Errorf("is out of range; want %d to %d", low, high)
			}
			*into = n
			return nil
		},
		show:   func() string { return strconv.Itoa(*into) },
		schema: map[string]any{"type": "integer", "minimum": low, "maximum": high},
	}
}

// durationPattern is the regular expression of a duration in the schema.
const durationPattern = `(\d+(\.\d+)?(ms|s|m|h|d))+`

// duration is a time span from low to high, in whole multiples of step.
func duration(into *time.Duration, low, high, step time.Duration) value {
	return value{
		kind: fmt.Sprintf("duration, %s to %s", formatDuration(low), formatDuration(high)),
		parse: func(_ *parser, t string) error {
			d, err := ParseDuration(t)
			switch {
			case err != nil:
				return err
			case d < low || d > high:
				return fmt.Errorf("is out of range; want %s to %s", formatDuration(low), formatDuration(high))
			case d%step != 0:
				return fmt.Errorf("is too fine; want a whole multiple of %s", formatDuration(step))
			}
			*into = d
			return nil
		},
		show:   func() string { return formatDuration(*into) },
		schema: map[string]any{"type": "string", "pattern": "^" + durationPattern + "$"},
	}
}

// secretText is a secret in the file itself or from the environment.
func secretText(into *Secret, checks ...func(string) error) value {
	return value{
		kind:   "secret",
		secret: true,
		parse: func(p *parser, t string) error {
			for _, check := range checks {
				if err := check(t); err != nil {
					return err
				}
			}
			if into.set {
				return errors.New("is set twice, here and by its file; keep one of them")
			}
			*into = Secret{text: t, set: true, inline: !p.expanded}
			return nil
		},
		show:   func() string { return "" },
		schema: map[string]any{"type": "string"},
	}
}

// secretFile is the path of a file that holds the same secret. A newline at
// its end is not part of it.
func secretFile(into *Secret, checks ...func(string) error) value {
	return value{
		kind: "path of a file",
		parse: func(p *parser, t string) error {
			b, err := p.read(t)
			if err != nil {
				return err
			}
			s := strings.TrimRight(string(b), "\r\n")
			if err := notEmpty(s); err != nil {
				return errors.New("names an empty file")
			}
			for _, check := range checks {
				if err := check(s); err != nil {
					return fmt.Errorf("names a file whose text %w", err)
				}
			}
			if into.set {
				return errors.New("is a second source of the same secret; keep the file or the value")
			}
			*into = NewSecret(s)
			return nil
		},
		show:   func() string { return "" },
		schema: map[string]any{"type": "string"},
	}
}

// file is the path of a file that must be readable and pass the checks.
func file(into *string, checks ...func([]byte) error) value {
	return value{
		kind: "path of a file",
		parse: func(p *parser, t string) error {
			b, err := p.read(t)
			if err != nil {
				return err
			}
			for _, check := range checks {
				if err := check(b); err != nil {
					return err
				}
			}
			*into = p.path(t)
			return nil
		},
		show:   func() string { return *into },
		schema: map[string]any{"type": "string"},
	}
}

// eventFormat is a preset's name or the path of a field map.
func eventFormat(into *string) value {
	presets := fieldmap.Names()
	return value{
		kind: strings.Join(presets, ", ") + ", or the path of a field map",
		parse: func(p *parser, t string) error {
			for _, name := range presets {
				if t == name {
					*into = t
					return nil
				}
			}
			if !strings.ContainsAny(t, "./") {
				return fmt.Errorf("is no format; %s (a field map of your own is named by its path, with a . or / in it)", suggest(t, presets))
			}
			b, err := p.read(t)
			if err != nil {
				return err
			}
			if _, err := fieldmap.Parse(p.path(t), b); err != nil {
				return fmt.Errorf("names a field map with faults:\n\t%s", strings.ReplaceAll(err.Error(), "\n", "\n\t"))
			}
			*into = p.path(t)
			return nil
		},
		show:   func() string { return *into },
		schema: map[string]any{"type": "string"},
	}
}

func start(into *Start) value {
	return value{
		kind: "earliest, latest or an RFC 3339 time",
		parse: func(_ *parser, t string) (err error) {
			s, err := parseStart(t)
			if err == nil {
				*into = s
			}
			return err
		},
		show:   func() string { return into.String() },
		schema: map[string]any{"type": "string", "pattern": `^(earliest|latest|\d{4}-.*)$`},
	}
}

func budget(into *Budget) value {
	return value{
		kind: "number per hour, day or week",
		parse: func(_ *parser, t string) error {
			b, err := parseBudget(t)
			if err == nil {
				*into = b
			}
			return err
		},
		show:   func() string { return into.String() },
		schema: map[string]any{"type": "string", "pattern": `^[0-9.eE+-]+ */ *(hour|day|week)$`},
	}
}

func zone(into **time.Location) value {
	return value{
		kind: "IANA time zone",
		parse: func(_ *parser, t string) error {
			if t == "Local" || t == "" {
				return errors.New("differs from machine to machine; want an IANA name such as Asia/Seoul or UTC")
			}
			loc, err := time.LoadLocation(t)
			if err != nil {
				return errors.New("is no time zone; want an IANA name such as Asia/Seoul or UTC")
			}
			*into = loc
			return nil
		},
		show:   func() string { return (*into).String() },
		schema: map[string]any{"type": "string"},
	}
}

// quoteText shows text as YAML.
func quoteText(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

func notEmpty(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is empty; give a value, or leave the line out")
	}
	return nil
}

// hostPort checks an address to reach or to listen on.
func hostPort(s string) error {
	const form = "want host:port, such as kafka-1.example:9092"
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return errors.New("is no address; " + form)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return errors.New("has no port from 1 to 65535; " + form)
	}
	if strings.ContainsAny(host, " /@") {
		return errors.New("has no legal host; " + form)
	}
	return nil
}

// brokerAddress is a hostPort with a host.
func brokerAddress(s string) error {
	if err := hostPort(s); err != nil {
		return err
	}
	if strings.HasPrefix(s, ":") {
		return errors.New("names no host; want host:port, such as kafka-1.example:9092")
	}
	return nil
}

// listenAddress is a hostPort, whose host may be empty, or off.
func listenAddress(s string) error {
	if s == Off {
		return nil
	}
	return hostPort(s)
}

// httpURL checks an absolute URL without quoting it.
func httpURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("is no URL; want https://host/path")
	}
	return nil
}

const maxTopic = 249 // bytes, of Kafka

// topicName checks a topic's name as the brokers do.
func topicName(s string) error {
	if len(s) > maxTopic {
		return fmt.Errorf("is too long for a topic; want at most %d characters", maxTopic)
	}
	if s == "." || s == ".." || !plain(s) {
		return errors.New("is no topic name; want letters, digits, '.', '_' and '-'")
	}
	return nil
}

// topicPrefix leaves room for the longest internal topic's name.
func topicPrefix(s string) error {
	const longest = 32
	if len(s) > maxTopic-longest {
		return fmt.Errorf("is too long; want at most %d characters", maxTopic-longest)
	}
	return topicName(s)
}

// word checks names that become part of metrics, ids and paths.
func word(s string) error {
	if len(s) > 64 || !plain(s) {
		return errors.New("is no legal name; want at most 64 letters, digits, '.', '_' and '-'")
	}
	return nil
}

// plain reports whether s holds nothing but letters, digits, '.', '_' and '-'.
func plain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	}) < 0
}

// pemAuthorities checks a file of certificates.
func pemAuthorities(b []byte) error {
	_, err := parseRoots(b)
	return err
}
