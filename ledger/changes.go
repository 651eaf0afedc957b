package ledger

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
)

// Changes says what differs between two settings, sorted by name; nothing if there were
// none before. The version of weir is no setting. Of secrets it says that they differ, by
// fingerprints under the record key; under another record key those say nothing.
func Changes(before, after []byte) []string {
	var old, now map[string]any
	if before == nil || json.Unmarshal(after, &now) != nil {
		return nil
	}
	if json.Unmarshal(before, &old) != nil {
		return []string{"the settings before cannot be read"}
	}
	if old["record_key"] != now["record_key"] || old["secrets"] == nil {
		delete(old, "secrets")
		delete(now, "secrets")
	}
	return differences("", old, now)
}

func differences(at string, old, now map[string]any) (out []string) {
	all := maps.Clone(old)
	maps.Copy(all, now)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		name := at + snake(key)
		was, is := old[key], now[key]
		if reflect.DeepEqual(was, is) || name == "version" {
			continue
		}
		if a, b := byName(was), byName(is); a != nil && b != nil {
			out = append(out, differences(name+".", a, b)...)
			continue
		}
		name = strings.TrimPrefix(name, "config.")
		switch {
		case was == nil:
			out = append(out, name+": added "+text(is))
		case is == nil:
			out = append(out, name+": removed "+text(was))
		case strings.HasPrefix(name, "secrets."):
			out = append(out, name+": another")
		default:
			out = append(out, name+": "+text(was)+" → "+text(is))
		}
	}
	return out
}

// byName returns a mapping, or a list whose items have names, as a mapping; nil of anything
// else.
func byName(v any) map[string]any {
	list, ok := v.([]any)
	if !ok {
		m, _ := v.(map[string]any)
		return m
	}
	out := map[string]any{}
	for _, item := range list {
		m, _ := item.(map[string]any)
		name, _ := m["Name"].(string)
		if name == "" || out[name] != nil {
			return nil
		}
		out[name] = m
	}
	return out
}

// text writes a value on one line, without what is empty in it.
func text(v any) string {
	b, err := json.Marshal(slim(v))
	if err != nil {
		return "?" // never: it was JSON
	}
	return alerting.Printable(string(b), maxValue)
}

// maxValue bounds one value, in bytes.
const maxValue = 400

func slim(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for key, value := range m {
		switch value := slim(value).(type) {
		case nil:
		case string:
			if value != "" {
				out[snake(key)] = value
			}
		case map[string]any:
			if len(value) > 0 {
				out[snake(key)] = value
			}
		case float64:
			if value != 0 {
				out[snake(key)] = value
			}
		default:
			out[snake(key)] = value
		}
	}
	return out
}

// snake returns a Go name as the configuration writes it: AtMost is at_most.
func snake(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c < 'A' || c > 'Z' {
			b.WriteByte(c)
			continue
		}
		before := i > 0 && (name[i-1] < 'A' || name[i-1] > 'Z') && name[i-1] != '_'
		after := i > 0 && i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z'
		if before || after {
			b.WriteByte('_')
		}
		b.WriteByte(c + 'a' - 'A')
	}
	return b.String()
}
