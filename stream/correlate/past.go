package correlate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
)

// pastEpisode is what is remembered of an episode that can not open again, so
// that a verdict that comes days later still finds it. Times are Unix ms of event
// time.
type pastEpisode struct {
	key  string // dedup key
	id   episode.ID
	from int64 // onset
	to   int64 // close
	sent bool  // people were alerted of it
}

// How long, and of how many episodes, the past is remembered.
const (
	pastFor = 60 * eventtime.Day
	maxPast = 20_000
)

// pastVersion is the first byte of the record of a past episode.
const pastVersion = 2

// pastEpisodes holds episodes that are over, by dedup key.
type pastEpisodes struct {
	by      map[string]pastEpisode
	changed map[string]bool // since the last Snapshot
}

func newPastEpisodes() pastEpisodes { return pastEpisodes{map[string]pastEpisode{}, map[string]bool{}} }

// add remembers an episode.
func (p *pastEpisodes) add(ep pastEpisode) {
	p.by[ep.key] = ep
	p.changed[ep.key] = true
}

// prune forgets what is over for long, and beyond the bound what is over for
// the longest. Dedup keys follow from the record key, so they decide nothing.
func (p *pastEpisodes) prune(now int64) {
	list := slices.SortedFunc(maps.Values(p.by), func(a, b pastEpisode) int {
		return cmp.Or(cmp.Compare(a.to, b.to), a.id.Compare(b.id))
	})
	for i, ep := range list {
		if now-ep.to <= pastFor && len(list)-i <= maxPast {
			return
		}
		delete(p.by, ep.key)
		p.changed[ep.key] = true
	}
}

// encode returns the record of a key, nil if it is forgotten.
func (p *pastEpisodes) encode(key string) []byte {
	ep, ok := p.by[key]
	if !ok {
		return nil
	}
	b := wire.AppendText(wire.AppendText([]byte{pastVersion}, ep.id.Dimension), ep.id.Identity)
	return wire.AppendBool(wire.AppendVarints(b, ep.from, ep.to), ep.sent)
}

// load takes in the record of a key.
func (p *pastEpisodes) load(key string, value []byte) error {
	if value == nil {
		delete(p.by, key)
		return nil
	}
	r := wire.NewReader(value)
	r.Version(pastVersion)
	ep := pastEpisode{key: key, id: episode.ID{Dimension: r.Text(), Identity: r.Text()}, from: r.Varint(), to: r.Varint(), sent: r.Bool()}
	if err := r.End(); err != nil {
		return fmt.Errorf("reading a past episode: %w", err)
	}
	p.by[key] = ep
	return nil
}
