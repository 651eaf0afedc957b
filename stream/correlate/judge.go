package correlate

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
)

// tickInput is what a tick brought of one identity.
type tickInput struct {
	id    episodeID
	order int               // of the dimension in the configuration
	cand  *stream.Candidate // nil: facts only
	facts []stream.FactCandidate
}

// tickActions is what there is to tell after a tick, before it is decided whom.
type tickActions struct {
	end     int64
	actions map[episodeID]episode.Action
	opened  bool     // an episode has opened: campaigns are looked for
	effects []Effect // of verdicts
}

// add notes an action. Of several on one episode in a tick one is told.
func (n *tickActions) add(id episodeID, a episode.Action) {
	had := n.actions[id]
	if a == episode.Nothing || had == episode.Open && a == episode.Update {
		return
	}
	n.actions[id] = a
	n.opened = n.opened || a == episode.Open
}

// judge works through one tick.
func (c *Task) judge(tick int64, found *Findings) {
	n := &tickActions{end: c.cfg.Grid.TickEnd(tick), actions: map[episodeID]episode.Action{}}
	c.opened.start(n.end)
	c.takeEffect(tick, n)
	all := c.gather(tick)
	for i := range all {
		c.hear(&all[i], n)
	}
	if bin := c.cfg.Grid.BinOfTick(tick); tick == c.cfg.Grid.LastTick(bin) && c.sums[bin] != nil {
		c.judgeCrowd(bin, all, n)
	}
	c.campaign(n)
	c.expire(n)
	c.decide(n, found)
	found.Effects = append(found.Effects, n.effects...)
}

// gather collects what a tick brought, sorted by dimension and identity.
func (c *Task) gather(tick int64) []tickInput {
	by := map[episodeID]*tickInput{}
	at := func(dimension int, identity string) *tickInput {
		id := episodeID{stream.SourceDimensionName, identity}
		if dimension >= 0 {
			id.dimension = c.cfg.Dimensions[dimension]
		}
		if by[id] == nil {
			by[id] = &tickInput{id: id, order: dimension}
		}
		return by[id]
	}
	candidates := c.candidates[tick]
	for i := range candidates {
		at(candidates[i].Dimension, candidates[i].Identity).cand = &candidates[i]
	}
	for _, f := range c.facts[tick] {
		h := at(f.Dimension, f.Identity)
		h.facts = append(h.facts, f)
	}
	delete(c.candidates, tick)
	delete(c.facts, tick)
	out := make([]tickInput, 0, len(by))
	for _, h := range by {
		slices.SortFunc(h.facts, func(a, b stream.FactCandidate) int { return cmp.Compare(a.Fact, b.Fact) })
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b tickInput) int { return a.id.compare(b.id) })
	return out
}

func (id episodeID) compare(o episodeID) int {
	return cmp.Or(cmp.Compare(id.dimension, o.dimension), cmp.Compare(id.identity, o.identity))
}

// hear holds what a tick brought of one identity against its episode.
func (c *Task) hear(h *tickInput, n *tickActions) {
	r := episode.Observation{
		Dimension: h.id.dimension, Identity: h.id.identity, Tick: n.end,
		Threshold: score.MaxLog, Exposed: h.exposed().Records,
	}
	if h.cand != nil {
		r.Log, r.Threshold = h.cand.Log, c.params.Threshold(h.cand.Dimension)
	}
	for _, f := range h.facts {
		r.Facts = append(r.Facts, string(f.Fact))
		r.Floor = max(r.Floor, episode.SeverityOfFact(f.Fact, r.Exposed))
	}
	v := c.episodes.Judge(r)
	if v.Episode.First == 0 {
		return // below the threshold, and no episode
	}
	c.learn(h, &v, n.end)
	n.add(h.id, v.Action)
	if v.Action == episode.Open {
		c.recall(h.id, n)
	}
}

// exposed returns the larger of what the evidence and the facts say.
func (h *tickInput) exposed() episode.Exposed {
	var out episode.Exposed
	if h.cand != nil {
		out = h.cand.Exposed
	}
	for i := range h.facts {
		if e := h.facts[i].Exposed; h.cand == nil && i == 0 || e.Records > out.Records {
			out = e
		}
	}
	return out
}

// expire closes the episodes that have been quiet, and forgets those that can
// not open again.
func (c *Task) expire(n *tickActions) {
	closed, forgotten := c.episodes.Expire(n.end)
	for _, v := range closed {
		n.add(episodeID{v.Episode.Dimension, v.Episode.Identity}, v.Action)
	}
	for _, ep := range forgotten {
		c.forget(&ep)
	}
	if len(forgotten) > 0 {
		c.past.prune(n.end)
	}
	c.verdicts.expire(n.end)
}

// decide tells people what there is to tell, and holds back the rest.
func (c *Task) decide(n *tickActions, found *Findings) {
	from, held := len(found.Alerts), len(found.Suppressed)
	c.release(n)
	for _, id := range n.ids() {
		ep, ok := c.episodes.Get(id.dimension, id.identity)
		if !ok {
			continue
		}
		c.changed[id] = true
		file := c.files[id]
		if ep.Standing == episode.Confirmed {
			c.excise(id, file, n.end)
		}
		action := n.actions[id]
		by := c.holdsBack(&ep, file, n.end)
		switch {
		case by.Kind == ByVerdict && file.Told:
			action, file.Told = episode.Close, false // people have it open
		case by.Kind != "" && (action != episode.Close || !file.Told):
			found.Suppressed = append(found.Suppressed, Suppressed{by, c.say(&ep, file, action, n.end)})
			continue
		case action == episode.Close && !file.Told:
			continue // it was never told
		case action == episode.Close:
			file.Told = false
		case !file.Told:
			action, file.Told = episode.Open, true
			c.opened.note(&ep, n.end)
		}
		found.Alerts = append(found.Alerts, c.say(&ep, file, action, n.end))
	}
	slices.SortStableFunc(found.Alerts[from:], compareAlerts)
	slices.SortStableFunc(found.Suppressed[held:], func(a, b Suppressed) int { return compareAlerts(a.Alert, b.Alert) })
}

func compareAlerts(a, b alerting.Alert) int {
	return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Identity, b.Identity))
}

// release tells of episodes that were held back and are not any more, if they
// still go on.
func (c *Task) release(n *tickActions) {
	for _, ep := range c.episodes.All() {
		id := episodeID{ep.Dimension, ep.Identity}
		file := c.files[id]
		if ep.Closed != 0 || ep.High != n.end || file.Told || n.actions[id] != episode.Nothing {
			continue
		}
		if by := c.holdsBack(&ep, file, n.end); by.Kind == "" {
			n.actions[id] = episode.Open
		}
	}
}

// ids returns what there is to tell of: members before the campaigns that are
// decided by them, each by dimension and identity.
func (n *tickActions) ids() []episodeID {
	out := make([]episodeID, 0, len(n.actions))
	for id := range n.actions {
		out = append(out, id)
	}
	slices.SortFunc(out, episodeID.compare)
	return out
}

// holdsBack returns what holds the episode back from people at a tick, or
// nothing.
func (c *Task) holdsBack(ep *episode.Episode, file *episodeRecord, end int64) SuppressedBy {
	id := episodeID{ep.Dimension, ep.Identity}
	if v, ok := c.verdicts.expected[id]; ok && end <= int64(v.Expires) {
		return SuppressedBy{Kind: ByVerdict, Name: v.ID, Owner: v.Author, Reason: v.Reason, Expires: v.Expires}
	}
	if ep.Standing == episode.Confirmed {
		return SuppressedBy{} // nobody expects a leak
	}
	for i := range c.cfg.Expected {
		if x := &c.cfg.Expected[i]; x.covers(ep, file.alert, end, c.cfg.Location) {
			return x.by()
		}
	}
	return c.folds(ep, file)
}
