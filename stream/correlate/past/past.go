// Package past remembers episodes that are over and can not open again, so that a verdict
// that comes days later still finds them.
package past

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// Episode is what is remembered of one. Times are Unix ms of event time.
type Episode struct {
	Key  string // dedup key
	ID   episode.ID
	From int64 // onset
	To   int64 // close
	Sent bool  // people were alerted of it
}

// How long, and of how many episodes, the past is remembered.
const (
	keptFor = 60 * eventtime.Day
	most    = 20_000
)

// version is the first byte of the record of an episode.
const version = 2

// Episodes holds them by dedup key.
type Episodes struct {
	by      map[string]Episode
	changed map[string]bool // since the last TakeChanged
}

// New returns Episodes that hold none.
func New() Episodes { return Episodes{map[string]Episode{}, map[string]bool{}} }

// Get returns the episode of a key.
func (p *Episodes) Get(key string) (Episode, bool) {
	ep, ok := p.by[key]
	return ep, ok
}

// Add remembers an episode.
func (p *Episodes) Add(ep Episode) {
	p.by[ep.Key] = ep
	p.changed[ep.Key] = true
}

// TakeChanged returns the keys that were added or forgotten since it was last called,
// sorted.
func (p *Episodes) TakeChanged() []string {
	keys := slices.Sorted(maps.Keys(p.changed))
	clear(p.changed)
	return keys
}

// Prune forgets what is over for long, and beyond the bound what is over for
// the longest. Dedup keys follow from the record key, so they decide nothing.
func (p *Episodes) Prune(now int64) {
	list := slices.SortedFunc(maps.Values(p.by), func(a, b Episode) int {
		return cmp.Or(cmp.Compare(a.To, b.To), a.ID.Compare(b.ID))
	})
	for i, ep := range list {
		if now-ep.To <= keptFor && len(list)-i <= most {
			return
		}
		delete(p.by, ep.Key)
		p.changed[ep.Key] = true
	}
}

// Encode returns the record of a key, nil if it is forgotten.
func (p *Episodes) Encode(key string) []byte {
	ep, ok := p.by[key]
	if !ok {
		return nil
	}
	b := wire.AppendText(wire.AppendText([]byte{version}, ep.ID.Dimension), ep.ID.Identity)
	return wire.AppendBool(wire.AppendVarints(b, ep.From, ep.To), ep.Sent)
}

// Load takes in the record of a key.
func (p *Episodes) Load(key string, value []byte) error {
	if value == nil {
		delete(p.by, key)
		return nil
	}
	r := wire.NewReader(value)
	r.Version(version)
	ep := Episode{Key: key, ID: episode.ID{Dimension: r.Text(), Identity: r.Text()}, From: r.Varint(), To: r.Varint(), Sent: r.Bool()}
	if err := r.End(); err != nil {
		return fmt.Errorf("reading a past episode: %w", err)
	}
	p.by[key] = ep
	return nil
}
