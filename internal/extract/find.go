// Package extract lists exactly which customers an episode has touched: it reads
// the source events again and writes the ids of those that belong to the
// episode's identities, each once.
package extract

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/alias"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
)

// Episode is an episode, or a campaign with its members, whose customers are
// listed.
type Episode struct {
	alert        *alerting.Alert            // the last of the episode or campaign
	identities   map[string]map[string]bool // by dimension
	dimensions   map[string]event.Dimension // of those identities
	since, until int64                      // Unix ms; until is no part of it
	moved        bool                       // the interval is not the alert's, so the alert's estimate is of another one
}

// Of reports whether Find may need an alert to find the episode of a key: one of
// the episode, or of an episode whose message it stands for.
func Of(key string) func(*alerting.Alert) bool {
	return func(a *alerting.Alert) bool { return a.DedupKey == key || a.Campaign == key }
}

// Find finds the episode of a key among alerts, oldest first. Its interval runs
// from the alert's exposed.since to its last alert. Of a campaign it takes the
// members too. What another episode's message stands for is no part of that
// episode: its identity read other events as well.
func Find(key string, alerts []*alerting.Alert, s *settings.Settings) (*Episode, error) {
	out := &Episode{identities: map[string]map[string]bool{}, dimensions: map[string]event.Dimension{}}
	for _, a := range alerts {
		if a.DedupKey == key {
			out.alert = a
		}
	}
	if out.alert == nil {
		return nil, fmt.Errorf("there is no alert of the episode %s: give the dedup_key as it stands in the alert", key)
	}
	out.since, out.until = int64(out.alert.Exposed.Since), int64(out.alert.Time)
	if out.since == 0 {
		out.since = int64(out.alert.Onset)
	}
	isCampaign := out.alert.Dimension == alerting.CampaignDimension
	for _, a := range alerts {
		member := isCampaign && a.Campaign == key
		if a.Dimension == alerting.CampaignDimension || a.DedupKey != key && !member {
			continue
		}
		if err := out.add(s, a.Dimension, a.Identity); err != nil {
			return nil, err
		}
		if since := int64(a.Exposed.Since); since != 0 && member { // whoever began first
			out.since = min(out.since, since)
		}
	}
	if m := out.alert.Members; m != nil && isCampaign {
		for _, member := range m.Named() {
			if err := out.add(s, member.Dimension, member.Identity); err != nil {
				return nil, err
			}
		}
		if n := out.count(); int64(n) < m.Count {
			return nil, fmt.Errorf("the campaign %s has %d members, but alerts of %d only are to be found: extract its members by their own keys", key, m.Count, n)
		}
	}
	if len(out.identities) == 0 {
		return nil, fmt.Errorf("the alert %s names no identity whose events could be listed", key)
	}
	return out, nil
}

// add adds an identity to those whose events are listed.
func (e *Episode) add(s *settings.Settings, dimension, identity string) error {
	dim, ok := s.Dimension(dimension)
	if !ok {
		return fmt.Errorf("the alert is about the %s %s, and the configuration has no such dimension, so its events cannot be told", dimension, identity)
	}
	if e.identities[dimension] == nil {
		e.identities[dimension] = map[string]bool{}
	}
	e.dimensions[dimension] = dim
	e.identities[dimension][identity] = true
	return nil
}

// count returns how many identities there are.
func (e *Episode) count() (n int) {
	for _, identities := range e.identities {
		n += len(identities)
	}
	return n
}

// SetInterval replaces the interval's begin or end, unless the time is zero.
func (e *Episode) SetInterval(since, until time.Time) error {
	if !since.IsZero() {
		e.since, e.moved = since.UnixMilli(), true
	}
	if !until.IsZero() {
		e.until, e.moved = until.UnixMilli(), true
	}
	if e.since >= e.until {
		return usage.Errorf("the interval from %s to %s is empty", alerting.Time(e.since), alerting.Time(e.until))
	}
	return nil
}

// matcher tells the events of the episode from others.
type matcher struct {
	*Episode
	order  []string // names of the dimensions
	hasher event.Hasher
	of     *alias.Table // whose each name is
	buf    []byte
}

func newMatcher(e *Episode, h event.Hasher, of *alias.Table) *matcher {
	return &matcher{Episode: e, order: slices.Sorted(maps.Keys(e.dimensions)), hasher: h, of: of}
}

// matches reports whether an event that counts at a time, Unix ms, is one of the episode.
func (m *matcher) matches(ev *event.Event, at int64) bool {
	if !ev.Action.Access() || at < m.since || at >= m.until {
		return false
	}
	person := *ev // what is written shows the name
	m.of.Apply(&person, at)
	for _, name := range m.order {
		identity, ok := m.dimensions[name].AppendIdentity(m.buf[:0], &person, m.hasher)
		m.buf = identity[:0]
		if ok && m.identities[name][string(identity)] {
			return true
		}
	}
	return false
}
