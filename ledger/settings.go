package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
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

// Faults returns by what the settings differ. digest is the SettingsDigest of the
// settings that were chained last up to the record known, as weir's state has it.
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
	case last != nil && SettingsDigest(last.body) != digest:
		out = append(out, Fault{Rewritten, 0, "the settings", fmt.Sprintf("the settings of record %d are not those that weir's state knows of: a record of settings was rewritten, deleted or inserted, or the state was", last.seq)})
	}
	if atHand == nil || len(s.chained) == 0 {
		return out
	}
	last = &s.chained[len(s.chained)-1]
	if changed := Changes(withoutDirectories(last.body), withoutDirectories(atHand)); len(changed) > 0 {
		out = append(out, Fault{Differs, 0, "the settings", fmt.Sprintf("what is in force since %s (record %d) and the configuration at hand differ: %s", last.at.UTC().Format(timeLayout), last.seq, strings.Join(changed, "; "))})
	}
	return out
}

// SettingsDigest returns the SHA-256 of settings, in hexadecimal digits: by it weir's state
// knows which settings were chained last.
func SettingsDigest(settings []byte) string {
	sum := sha256.Sum256(settings)
	return hex.EncodeToString(sum[:])
}

// withoutDirectories returns settings in which files have no directories: a relative path
// depends on where a command runs.
func withoutDirectories(settings []byte) []byte {
	var v any
	if json.Unmarshal(settings, &v) != nil {
		return settings
	}
	cut(v)
	out, err := json.Marshal(v)
	if err != nil {
		return settings // never: it was JSON
	}
	return out
}

func cut(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			cut(item)
		}
	case map[string]any:
		for name, value := range v {
			if path, ok := value.(string); ok && path != "" && (strings.HasSuffix(name, "File") || name == "Format") {
				v[name] = filepath.Base(path)
			}
			cut(value)
		}
	}
}
