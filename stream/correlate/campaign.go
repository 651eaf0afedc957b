package correlate

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// A campaign is an episode of its own, of the dimension "campaign", whose
// identity is what its members share: it opens, is updated and closes like any
// other, under one key and with one message, and its members' own messages are
// held back. In the same way an episode of another dimension that shows the
// same events as one that people have been told of is folded into that.

// cause is what the members of a campaign share.
type cause struct {
	Kind      causeKind `json:"kind"`
	Dimension string    `json:"dimension,omitempty"` // of the trait; of the members, of many at once
	Identity  string    `json:"identity,omitempty"`  // the trait
	Fact      fact.Name `json:"fact,omitempty"`
	// Log is how improbable chance is, as a natural log, and Threshold what it
	// had to reach.
	Log       float64 `json:"log"`
	Threshold float64 `json:"threshold"`
	Crowd     *crowd  `json:"crowd,omitempty"`
}

type causeKind string

// The kinds of causes.
const (
	byTrait causeKind = "trait" // they come through the same key, client, network, endpoint or user
	byFact  causeKind = "fact"  // the same fact holds for many
	byTime  causeKind = "time"  // many began at once, and share nothing else
)

// crowd is what identities behind a trait that are no episodes add up to, in the
// last bin in which any of them showed something.
type crowd struct {
	Bin      int64    `json:"bin"`
	Strong   bool     `json:"strong,omitempty"` // enough to keep the campaign open
	Member   string   `json:"member"`           // dimension
	Over     int64    `json:"over"`
	Observed float64  `json:"observed"`
	Expected float64  `json:"expected"`
	Top      []string `json:"top,omitempty"`
}

// name is the identity of the campaign.
func (x *cause) name() string {
	switch x.Kind {
	case byTrait:
		return x.Dimension + " " + x.Identity
	case byFact:
		return "fact " + string(x.Fact)
	case byTime:
		return "the time at which they began (" + x.Dimension + ")"
	}
	return string(x.Kind)
}

// dimTotal is what members of one dimension add up to.
type dimTotal struct {
	Dimension string `json:"dimension"`
	Count     int64  `json:"count"`
	Records   int64  `json:"records"`
	High      int64  `json:"high"`
	Low       int64  `json:"low"` // of the most exposed one
	Rows      int64  `json:"rows,omitempty"`
}

// join makes an episode a member of a campaign, or folds it into another.
func (c *Task) join(id episodeID, key string) {
	file := c.files[id]
	c.leave(id, file, false)
	file.Campaign = key
	if c.members[key] == nil {
		c.members[key] = map[episodeID]bool{}
	}
	c.members[key][id] = true
	c.changed[id] = true
}

// leave takes an episode out of what it belongs to. What it has exposed stays
// with the campaign if its episode is forgotten. A campaign that is forgotten
// lets its members go.
func (c *Task) leave(id episodeID, file *episodeRecord, forgotten bool) {
	if key := file.Campaign; key != "" {
		delete(c.members[key], id)
		if of := c.files[c.keys[key]]; forgotten && of != nil && of.Cause != nil {
			of.Gone = addTotal(of.Gone, id.dimension, &file.alert.Exposed)
			c.changed[c.keys[key]] = true
		}
		file.Campaign = ""
	}
	if !forgotten {
		return
	}
	key := file.alert.DedupKey
	for m := range c.members[key] {
		c.files[m].Campaign = ""
		c.changed[m] = true
	}
	delete(c.members, key)
	delete(c.keys, key)
}

func addTotal(list []dimTotal, dimension string, e *alerting.Exposed) []dimTotal {
	i, ok := slices.BinarySearchFunc(list, dimension, func(t dimTotal, d string) int { return cmp.Compare(t.Dimension, d) })
	if !ok {
		list = slices.Insert(list, i, dimTotal{Dimension: dimension})
	}
	t := &list[i]
	t.Count++
	t.Records += e.Records
	t.High += e.High
	t.Low = max(t.Low, e.Low)
	t.Rows += e.Rows
	return list
}

// campaignSummary is what the members of a campaign look like at a tick.
type campaignSummary struct {
	totals   []dimTotal
	top      []alerting.Member // most exposed first
	severity episode.Severity
	onset    alerting.Time
	heard    bool // of one that goes on
}

func (c *Task) muster(key string, gone []dimTotal, end int64) campaignSummary {
	m := campaignSummary{totals: slices.Clone(gone)}
	for _, id := range slices.SortedFunc(maps.Keys(c.members[key]), episodeID.compare) {
		file := c.files[id]
		ep, _ := c.episodes.Get(id.dimension, id.identity)
		m.totals = addTotal(m.totals, id.dimension, &file.alert.Exposed)
		m.top = append(m.top, alerting.Member{
			DedupKey: file.alert.DedupKey, Dimension: id.dimension, Identity: id.identity,
			Severity: ep.Severity, Records: file.alert.Exposed.Records,
		})
		if m.onset == 0 || file.alert.Onset < m.onset {
			m.onset = file.alert.Onset
		}
		if ep.Closed == 0 {
			m.severity = max(m.severity, ep.Severity)
			m.heard = m.heard || ep.High == end
		}
	}
	slices.SortStableFunc(m.top, func(a, b alerting.Member) int { return cmp.Compare(b.Records, a.Records) })
	m.top = m.top[:min(len(m.top), alerting.MaxTop)]
	return m
}

// count returns how many members there are and were.
func (m *campaignSummary) count() (n int64) {
	for _, t := range m.totals {
		n += t.Count
	}
	return n
}

// exposed returns what the members have exposed together. Correlate has only
// their numbers, so the union is bounded: it is at least what the most exposed
// member has touched, and at most the sum over the members of one dimension;
// the same records seen through another dimension are no further ones.
func (m *campaignSummary) exposed(since alerting.Time) alerting.Exposed {
	out := alerting.Exposed{Since: since}
	for _, t := range m.totals {
		out.Records, out.High = max(out.Records, t.Records), max(out.High, t.High)
		out.Low, out.Rows = max(out.Low, t.Low), max(out.Rows, t.Rows)
	}
	return out
}

// open begins a campaign, or finds the one of the same cause.
func (c *Task) open(x cause, ids []episodeID, n *tickActions) {
	id := episodeID{alerting.CampaignDimension, x.name()}
	if c.files[id] == nil {
		c.begin(id, x, n)
	}
	file := c.files[id]
	if x.Log > file.Cause.Log {
		file.Cause.Log, file.Cause.Threshold = x.Log, x.Threshold
	}
	for _, m := range ids {
		c.join(m, file.alert.DedupKey)
	}
	c.changed[id] = true
}

// begin files a campaign that is about to open.
func (c *Task) begin(id episodeID, x cause, n *tickActions) {
	a := c.newAlert(&episode.Episode{Dimension: id.dimension, Identity: id.identity, First: n.end, Severity: episode.Low}, n.end)
	a.Kind, a.Detector = alerting.KindCampaign, campaignDetector
	c.files[id] = &episodeRecord{alert: asRead(a), Cause: &x}
	c.keys[a.DedupKey] = id
}

// follow judges the campaigns by what was heard of their members.
func (c *Task) follow(n *tickActions) {
	for _, id := range c.campaigns() {
		file := c.files[id]
		m := c.muster(file.alert.DedupKey, file.Gone, n.end)
		crowded := file.Cause.Crowd != nil && file.Cause.Crowd.Strong && file.Cause.Crowd.Bin == c.cfg.Grid.BinOf(n.end-1)
		if _, filed := c.episodes.Get(id.dimension, id.identity); filed && !m.heard && !crowded {
			continue
		}
		c.describe(file, &m)
		e := file.alert.Exposed
		v := c.episodes.Judge(episode.Observation{
			Dimension: id.dimension, Identity: id.identity, Tick: n.end,
			Log: file.Cause.Log, Threshold: file.Cause.Threshold, Exposed: e.Records,
			Floor: m.severity, Members: file.alert.Members.Count,
		})
		if v.Action == episode.Open && !v.Reopened && file.alert.DedupKey != alerting.DedupKey(id.dimension, id.identity, v.Episode.First) {
			c.rekey(id, v.Episode.First)
		}
		n.add(id, v.Action)
		c.changed[id] = true
		if v.Action == episode.Open {
			c.recall(id, n)
		}
	}
}

// rekey gives a campaign that opens anew, after its grace, a key of its own.
func (c *Task) rekey(id episodeID, first int64) {
	file := c.files[id]
	old := file.alert.DedupKey
	key := alerting.DedupKey(id.dimension, id.identity, first)
	file.alert.DedupKey = key
	delete(c.keys, old)
	c.keys[key] = id
	for _, m := range slices.SortedFunc(maps.Keys(c.members[old]), episodeID.compare) {
		c.join(m, key)
	}
	delete(c.members, old)
}

// campaigns returns the ids of the campaigns, sorted.
func (c *Task) campaigns() (out []episodeID) {
	for id, file := range c.files {
		if file.Cause != nil {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, episodeID.compare)
	return out
}

// describe writes what is known of a campaign into its alert.
func (c *Task) describe(file *episodeRecord, m *campaignSummary) {
	a, x := file.alert, file.Cause
	if m.onset != 0 && m.onset < a.Onset {
		a.Onset = m.onset
	}
	a.Exposed = m.exposed(a.Onset)
	if file.Through != nil && file.Through.Records > 0 {
		a.Exposed = exposedOf(file.Through)
	}
	members := &alerting.Members{Count: m.count(), Top: m.top}
	a.Evidence.LogValue, a.Evidence.Threshold = x.Log, x.Threshold
	if w := x.Crowd; w != nil {
		a.Evidence.Bin = alerting.Time(w.Bin * c.cfg.Grid.Bin)
		a.Observed, a.Expected = w.Observed, w.Expected
		members.Count = max(members.Count, w.Over)
		for _, name := range w.Top {
			named := slices.ContainsFunc(members.Top, func(o alerting.Member) bool { return o.Dimension == w.Member && o.Identity == name })
			if !named && len(members.Top) < alerting.MaxTop {
				members.Top = append(members.Top, alerting.Member{Dimension: w.Member, Identity: name, Severity: episode.Low})
			}
		}
		if a.Exposed.High == 0 { // nobody is followed yet: what they touched in the bin, each counted alone
			a.Exposed.Records, a.Exposed.High = int64(w.Observed), int64(w.Observed)
		}
	}
	a.Members = members
	file.alert = asRead(a)
}

// campaignOf returns the key of what an episode belongs to.
func (c *Task) campaignOf(file *episodeRecord) string {
	if _, ok := c.keys[file.Campaign]; ok {
		return file.Campaign
	}
	return ""
}

// folds reports whether another message stands for the episode: that of its
// campaign, unless it is critical itself, which the first alerting.MaxTop
// members of a campaign are told alone; or that of an episode of another
// dimension with the same events, unless it has outgrown that.
func (c *Task) folds(ep *episode.Episode, file *episodeRecord) SuppressedBy {
	id, ok := c.keys[file.Campaign]
	if !ok {
		return SuppressedBy{}
	}
	lead, _ := c.episodes.Get(id.dimension, id.identity)
	if lead.First == 0 || lead.Closed != 0 {
		return SuppressedBy{}
	}
	of := c.files[id]
	switch {
	case of.Cause == nil && ep.Exposed > outgrown*max(of.alert.Exposed.Records, 1):
		return SuppressedBy{}
	case of.Cause != nil && ep.Severity == episode.Critical && file.Alone == 0 && of.Alone < alerting.MaxTop:
		of.Alone++
		file.Alone = 1
		c.changed[id] = true
	}
	if of.Cause != nil && file.Alone > 0 {
		return SuppressedBy{}
	}
	return SuppressedBy{Kind: ByCampaign, Name: file.Campaign}
}

// outgrown is how many times the exposure of the episode that it is folded into
// makes an episode a matter of its own.
const outgrown = 2
