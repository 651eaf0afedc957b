package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/stream/kafka"
)

// sought is what an extraction looks for.
type sought struct {
	alert        *alerting.Alert            // the last of the episode or campaign
	identities   map[string]map[string]bool // by dimension
	dimensions   map[string]event.Dimension // of those identities
	since, until int64                      // Unix ms; until is no part of it
	moved        bool                       // the interval is not the alert's, so the estimate is of another one
}

// find looks for the episode, and for the members of a campaign.
func (o *extractOptions) find(ctx context.Context, conn *kafka.Connection, s *settings) (*sought, error) {
	alerts, err := o.alerts(ctx, conn, s)
	if err != nil {
		return nil, err
	}
	out := &sought{identities: map[string]map[string]bool{}, dimensions: map[string]event.Dimension{}}
	for _, a := range alerts {
		if a.DedupKey == o.key {
			out.alert = a
		}
	}
	if out.alert == nil {
		return nil, fmt.Errorf("there is no alert of the episode %s: give the dedup_key as it stands in the alert", o.key)
	}
	out.since, out.until = int64(out.alert.Exposed.Since), int64(out.alert.Time)
	if out.since == 0 {
		out.since = int64(out.alert.Onset)
	}
	for _, a := range alerts {
		if a.Dimension == alerting.CampaignDimension {
			continue
		}
		if err := out.add(s, a.Dimension, a.Identity); err != nil {
			return nil, err
		}
		if since := int64(a.Exposed.Since); since != 0 && a.DedupKey != o.key { // of a campaign: whoever began first
			out.since = min(out.since, since)
		}
	}
	if m := out.alert.Members; m != nil {
		for _, member := range m.Top {
			if err := out.add(s, member.Dimension, member.Identity); err != nil {
				return nil, err
			}
		}
		if n := out.count(); int64(n) < m.Count {
			return nil, fmt.Errorf("the campaign %s has %d members, but alerts of %d only are to be found: extract its members by their own keys", o.key, m.Count, n)
		}
	}
	if len(out.identities) == 0 {
		return nil, fmt.Errorf("the alert %s names no identity whose events could be listed", o.key)
	}
	return out, out.interval(o)
}

// alerts returns the alerts of the episode and, of a campaign, those of its
// members, oldest first.
func (o *extractOptions) alerts(ctx context.Context, conn *kafka.Connection, s *settings) ([]*alerting.Alert, error) {
	wanted := func(a *alerting.Alert) bool { return a.DedupKey == o.key || a.Campaign == o.key }
	if o.alert == "" {
		return kafka.Alerts(ctx, conn, kafka.NewTopics(s.config.TopicPrefix), wanted)
	}
	var out []*alerting.Alert
	var fault error
	err := eachLine(o.alert, func(line int, b []byte) {
		a, err := alerting.ParseAlert(b)
		switch {
		case err != nil && fault == nil:
			fault = fmt.Errorf("%s:%d: %w", o.alert, line, err)
		case err == nil && wanted(a):
			out = append(out, a)
		}
	})
	if err == nil {
		err = fault
	}
	return out, err
}

func (s *sought) add(settings *settings, dimension, identity string) error {
	i := slices.IndexFunc(settings.config.Dimensions, func(d event.Dimension) bool { return d.Name == dimension })
	if i < 0 {
		return fmt.Errorf("the alert is about the %s %s, and the configuration has no such dimension, so its events cannot be told", dimension, identity)
	}
	if s.identities[dimension] == nil {
		s.identities[dimension] = map[string]bool{}
	}
	s.dimensions[dimension] = settings.config.Dimensions[i]
	s.identities[dimension][identity] = true
	return nil
}

func (s *sought) count() (n int) {
	for _, identities := range s.identities {
		n += len(identities)
	}
	return n
}

// interval applies --since and --until.
func (s *sought) interval(o *extractOptions) error {
	for _, c := range []struct {
		flag, text string
		at         *int64
	}{{"--since", o.since, &s.since}, {"--until", o.until, &s.until}} {
		switch c.text {
		case "":
			continue
		case "now":
			*c.at = o.started.UnixMilli()
		default:
			t, err := time.Parse(time.RFC3339, c.text)
			if err != nil {
				return usagef("%s %q: want a time such as 2026-10-01T00:00:00Z, or now", c.flag, c.text)
			}
			*c.at = t.UnixMilli()
		}
		s.moved = true
	}
	if s.since >= s.until {
		return usagef("the interval from %s to %s is empty", alerting.Time(s.since), alerting.Time(s.until))
	}
	return nil
}

// matcher tells the events of the identities sought.
type matcher struct {
	*sought
	order  []string // names of the dimensions
	hasher event.Hasher
	buf    []byte
}

func newMatcher(s *sought, h event.Hasher) *matcher {
	return &matcher{sought: s, order: slices.Sorted(maps.Keys(s.dimensions)), hasher: h}
}

func (m *matcher) matches(ev *event.Event) bool {
	if !ev.Action.Access() || ev.Time < m.since || ev.Time >= m.until {
		return false
	}
	for _, name := range m.order {
		identity, ok := m.dimensions[name].AppendIdentity(m.buf[:0], ev, m.hasher)
		m.buf = identity[:0]
		if ok && m.identities[name][string(identity)] {
			return true
		}
	}
	return false
}
