package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Settings holds the settings that were chained against what weir's state and the
// configuration at hand say is in force.
type Settings struct {
	chained []settings
}

type settings struct {
	seq  int64
	at   time.Time
	body []byte
}

// Chained takes in a record of the ledger, and passes over those of other kinds.
func (s *Settings) Chained(r *Record) {
	if r.Kind == Config {
		s.chained = append(s.chained, settings{r.Seq, r.Time, slices.Clone(r.Body)})
	}
}

// Faults returns by what the settings differ. digest is the SHA-256 in hexadecimal digits
// of the settings that were chained last up to the record known, as weir's state has it.
// atHand are the settings of a configuration; nil: there is none. The version of weir
// decides nothing, and may differ.
func (s *Settings) Faults(known int64, digest string, atHand []byte) (out []Fault) {
	var last *settings
	for i := range s.chained {
		if s.chained[i].seq <= known {
			last = &s.chained[i]
		}
	}
	switch {
	case last == nil && digest != "":
		out = append(out, Fault{Missing, 0, "the settings", "weir's state knows of settings in force, of which the ledger holds none: their record was deleted"})
	case last != nil && digestOf(last.body) != digest:
		out = append(out, Fault{Rewritten, 0, "the settings", fmt.Sprintf("the settings of record %d are not those that weir's state knows of: a record of settings was rewritten, deleted or inserted, or the state was", last.seq)})
	}
	if atHand == nil || len(s.chained) == 0 {
		return out
	}
	last = &s.chained[len(s.chained)-1]
	if names := Differences(last.body, atHand); len(names) > 0 {
		out = append(out, Fault{Differs, 0, "the settings", fmt.Sprintf("what is in force since %s (record %d) and the configuration at hand differ in %s", last.at.UTC().Format(timeLayout), last.seq, strings.Join(names, ", "))})
	}
	return out
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Differences returns the names of the settings in which two records of settings differ,
// sorted. It passes over the version of weir, and over the directory of a file, since a
// relative path depends on where a command runs.
func Differences(a, b []byte) []string {
	var x, y map[string]any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return []string{"everything: one of the two cannot be read"}
	}
	delete(x, "version")
	delete(y, "version")
	names := differences("", x, y)
	slices.Sort(names)
	return names
}

func differences(at string, a, b map[string]any) (out []string) {
	all := maps.Clone(a)
	maps.Copy(all, b)
	for name := range all {
		x, sub := a[name].(map[string]any)
		y, also := b[name].(map[string]any)
		switch {
		case sub && also:
			out = append(out, differences(at+name+".", x, y)...)
		case strings.HasSuffix(name, "File") && base(a[name]) == base(b[name]):
		case !reflect.DeepEqual(a[name], b[name]):
			out = append(out, at+name)
		}
	}
	return out
}

func base(path any) string {
	s, _ := path.(string)
	return filepath.Base(s)
}
