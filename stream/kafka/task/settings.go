package task

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// InForce are the settings that a process brings into force.
type InForce struct {
	// JSON is the configuration, without secrets; nil: it is not chained.
	JSON []byte
	// By says who runs the process, as far as it knows: a text by a name, for people.
	By map[string]string
}

// ByRunner is the key of InForce.By under which it says who runs the process.
const ByRunner = "run_by"

// bringIntoForce chains the settings if they are not those that were chained last, and has
// people be alerted of what has changed.
func (r *correlateRun) bringIntoForce(ctx context.Context) error {
	w := &r.ledger
	digest := digestOf(r.Settings.JSON)
	if r.Settings.JSON == nil || digest == w.Settings {
		return nil
	}
	before, err := r.chainedSettings(ctx)
	if err != nil {
		return err
	}
	tx, now := cluster.Transaction{Client: r.client}, time.Now()
	w.Settings, w.SettingsAt, w.SettingsBy = digest, now.UnixMilli(), r.Settings.By[ByRunner]
	if err := w.add(&tx, ledger.Config, now, r.Settings.JSON); err != nil {
		return err
	}
	w.writeEnd(&tx)
	if changed := changes(before, r.Settings.JSON); len(changed) > 0 {
		detail := maps.Clone(r.Settings.By)
		detail["changed"] = alerting.Printable(strings.Join(changed, "; "), maxChanged)
		kept := r.correlate.Notify(&correlate.Notice{
			ID:   episode.ID{Dimension: alerting.SettingsDimension, Identity: r.Group + " " + digest[:8]},
			Fact: fact.SettingsChanged, Detail: detail,
		})
		tx.Add(r.Topics.Fleet, 0, kept.Key, kept.Value)
		r.Log.Warn("the settings have changed", "changed", detail["changed"])
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("writing the settings in force to the ledger: %w", err)
	}
	return nil
}

// maxChanged bounds what an alert says of a change of the settings, in bytes. The ledger
// has the settings before and after.
const maxChanged = 4000

// chainedSettings returns the settings that were chained last, nil if none were.
func (r *correlateRun) chainedSettings(ctx context.Context) (last []byte, err error) {
	_, err = r.Conn.ReadAll(ctx, r.Topics.Ledger, 0, func(rec *kgo.Record) error {
		var link struct {
			Kind ledger.Kind
			Body json.RawMessage
		}
		if json.Unmarshal(rec.Value, &link) == nil && link.Kind == ledger.Config {
			last = bytes.Clone(link.Body)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the settings in the ledger: %w", err)
	}
	return last, nil
}

// changes says what differs between two settings, sorted by name; nothing if there were
// none before. The version of weir is no setting. Of secrets it says that they differ, by fingerprints under the record key;
// under another record key those say nothing.
func changes(before, after []byte) []string {
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
