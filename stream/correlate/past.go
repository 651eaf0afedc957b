package correlate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// pastEpisode is what is remembered of an episode that can not open again, so
// that a verdict that comes days later still finds it. Times are Unix ms.
type pastEpisode struct {
	Key       string `json:"key"`
	Dimension string `json:"dimension"`
	Identity  string `json:"identity"`
	From      int64  `json:"from"` // onset
	To        int64  `json:"to"`   // close
}

// How long, and of how many episodes, the past is remembered.
const (
	pastFor = 60 * eventtime.Day
	maxPast = 20_000
)

// past holds episodes that are over, by dedup key.
type past struct {
	by      map[string]pastEpisode
	changed map[string]bool // since the last Snapshot
}

func newPast() past { return past{map[string]pastEpisode{}, map[string]bool{}} }

// add remembers an episode.
func (p *past) add(ep pastEpisode) {
	p.by[ep.Key] = ep
	p.changed[ep.Key] = true
}

// prune forgets what is over for long, and beyond the bound what is over for
// the longest.
func (p *past) prune(now int64) {
	list := slices.SortedFunc(maps.Values(p.by), func(a, b pastEpisode) int {
		return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Key, b.Key))
	})
	for i, ep := range list {
		if now-ep.To <= pastFor && len(list)-i <= maxPast {
			return
		}
		delete(p.by, ep.Key)
		p.changed[ep.Key] = true
	}
}

func (p *past) encode(key string) []byte {
	ep, ok := p.by[key]
	if !ok {
		return nil
	}
	b, err := json.Marshal(ep)
	if err != nil {
		panic(fmt.Sprintf("stream: a past episode does not encode: %v", err)) // a mistake in this package: it holds plain values
	}
	return b
}

func (p *past) load(key string, value []byte) error {
	if value == nil {
		delete(p.by, key)
		return nil
	}
	var ep pastEpisode
	if err := json.Unmarshal(value, &ep); err != nil {
		return fmt.Errorf("reading a past episode: %w: %w", err, wire.ErrCorrupt)
	}
	p.by[key] = ep
	return nil
}
