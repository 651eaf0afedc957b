package correlate

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
)

// Names of what raises alerts.
const (
	driftDetector    = "drift"    // the engine of package detectors
	factDetector     = "facts"    // what is known
	campaignDetector = "campaign" // episodes that share a cause
)

// episodeRecord is what correlate keeps of an episode beside its course. Its JSON is
// part of the record of the episode on weir.fleet.
type episodeRecord struct {
	alert *alerting.Alert // as last learned; its status and times are set when it is told
	// Traits are what the identity came through, by the latest report.
	Traits []campaign.TraitShare `json:"traits,omitempty"`
	// Told: people have it open, so a close must be told.
	Told bool `json:"told,omitempty"`
	// Campaign is the dedup key of what this episode belongs to: a campaign, or
	// an episode of another dimension that shows the same events.
	Campaign string `json:"campaign,omitempty"`
	// Excised is the last bin up to which the baseline was told to forget.
	Excised int64 `json:"excised,omitempty"`
	// Cause is what the members of a campaign share.
	Cause *cause `json:"cause,omitempty"`
	// Through is what the shared trait itself has exposed, where it stands out.
	Through *episode.Exposed `json:"through,omitempty"`
	// Gone sums up members of a campaign whose episodes are forgotten.
	Gone []dimTotal `json:"gone,omitempty"`
	// Alone is how many members of a campaign were told by themselves; of a
	// member, 1 if it is among them.
	Alone int `json:"alone,omitempty"`
}

// learn keeps what a tick showed of an episode: the case where its evidence is
// the strongest so far, and in any case the facts and what is exposed.
func (c *Task) learn(h *tickInput, v *episode.Decision, end int64) {
	file := c.files[h.id]
	fresh := file == nil || v.Action == episode.Open && !v.Reopened
	if fresh {
		c.drop(h.id)
		file = &episodeRecord{}
		c.files[h.id] = file
	}
	a := file.alert
	if a == nil || v.Action == episode.Open {
		a = c.newAlert(&v.Episode, end)
	}
	c.changed[h.id] = true
	if v.Episode.Closed == 0 {
		exposed := h.exposed()
		a.Exposed = exposedOf(&exposed)
	}
	if cand := h.cand; cand != nil && (len(a.Evidence.Measures) == 0 || cand.Log >= a.Evidence.LogValue) {
		m := cand.Measures[0]
		a.Measure, a.Observed, a.Expected = m.Measure, m.Observed, m.Expected
		a.Evidence.Bin = alerting.Time(cand.Bin * c.cfg.Grid.Bin)
		d := &c.params.Dimensions[cand.Dimension]
		a.Evidence.LogValue, a.Evidence.Threshold = cand.Log, d.Threshold
		a.Evidence.Live, a.Evidence.Formula, a.Evidence.Tail = d.Live, d.Formula, d.Tail
		a.Evidence.Peers, a.Evidence.Measures = cand.Peers, Measures(cand.Measures)
	}
	if h.cand != nil {
		a.Onset = alerting.Time(h.cand.Onset)
		c.context(a, file, &h.cand.Context)
	}
	c.learnFacts(a, file, h)
	file.alert = asRead(a)
	c.keys[a.DedupKey] = h.id
}

// newAlert begins an alert of an episode.
func (c *Task) newAlert(ep *episode.Episode, end int64) *alerting.Alert {
	return &alerting.Alert{
		Schema:    alerting.Schema,
		DedupKey:  alerting.DedupKey(ep.Dimension, ep.Identity, ep.First),
		Status:    alerting.Open,
		Time:      alerting.Time(end),
		Onset:     alerting.Time(end),
		Kind:      alerting.Statistical,
		Dimension: ep.Dimension, Identity: ep.Identity,
		Detector: driftDetector,
		Severity: ep.Severity,
		Evidence: alerting.Evidence{
			Bin:      alerting.Time(c.cfg.Grid.BinOf(end-1) * c.cfg.Grid.Bin),
			BinWidth: (time.Duration(c.cfg.Grid.Bin) * time.Millisecond).String(),
			Budget:   c.cfg.Budget,
		},
	}
}

// learnFacts names the gravest of the facts of an episode.
func (c *Task) learnFacts(a *alerting.Alert, file *episodeRecord, h *tickInput) {
	for i := range h.facts {
		f := &h.facts[i]
		if a.Fact != "" && a.Fact != f.Fact && !graver(f.Fact, a.Fact) {
			continue
		}
		if began := alerting.Time(f.Time); a.Fact == "" || began < a.Onset {
			a.Onset = began
		}
		a.Kind, a.Detector, a.Fact, a.Detail = alerting.KindFact, factDetector, f.Fact, f.Detail
		if h.cand == nil {
			c.context(a, file, &f.Context)
		}
	}
}

// graver reports whether a fact says more than another: by what it means alone,
// then by name.
func graver(a, b fact.Name) bool {
	x, y := episode.SeverityOfFact(a, 0), episode.SeverityOfFact(b, 0)
	return x > y || x == y && a < b
}

// context keeps what the identity came through and when it was seen.
func (c *Task) context(a *alerting.Alert, file *episodeRecord, x *stream.Context) {
	if x.FirstSeen != 0 {
		a.FirstSeen, a.LastSeen = alerting.Time(x.FirstSeen), alerting.Time(x.LastSeen)
	}
	if x.ShareNew != nil {
		a.ShareNew = x.ShareNew
	}
	if len(x.Traits) == 0 {
		return
	}
	file.Traits, a.Top = x.Traits, alerting.Top{}
	for _, t := range x.Traits {
		if t.Dimension < 0 || t.Dimension >= len(c.cfg.Dimensions) {
			continue
		}
		list := topList(&a.Top, c.cfg.Dimensions[t.Dimension])
		if list != nil && len(*list) < alerting.MaxTop {
			*list = append(*list, alerting.Share{Value: t.Identity, Share: t.Share})
		}
	}
}

// topList returns the list of a dimension; dimensions of people's own have none.
func topList(top *alerting.Top, dimension string) *[]alerting.Share {
	switch dimension {
	case "endpoint":
		return &top.Endpoints
	case "network":
		return &top.Networks
	case "client":
		return &top.Clients
	case "key":
		return &top.Keys
	case "user":
		return &top.Users
	}
	return nil
}

// asRead returns the alert as it reads back from JSON: so it is kept, that a
// restore in between cannot show in what is told later.
func asRead(a *alerting.Alert) *alerting.Alert {
	if a.Measure == "" && a.Kind == alerting.Statistical {
		a.Measure = score.Distinct.String()
	}
	read, err := alerting.ParseAlert(a.AppendJSON(nil))
	if err != nil {
		panic(fmt.Sprintf("stream: an alert does not read back: %v", err)) // a mistake in this package
	}
	return read
}

// say returns the alert that tells of an action.
func (c *Task) say(ep *episode.Episode, file *episodeRecord, action episode.Action, end int64) alerting.Alert {
	a := *file.alert
	a.Status = alerting.Status(action.String())
	a.Severity = ep.Severity
	a.Time = alerting.Time(end)
	a.Campaign = c.campaignOf(file)
	a.Evidence.Realised = c.opened.perDay(end)
	a.Confidence = episode.ConfidenceOf(a.Fact, a.Evidence.LogValue, a.Evidence.Threshold)
	a.Summary = alerting.Summarize(&a, c.cfg.Location)
	return a
}

// forget drops what is known of an episode that can not open again, but for
// what a late verdict needs.
func (c *Task) forget(ep *episode.Episode) {
	id := episodeID{ep.Dimension, ep.Identity}
	file := c.files[id]
	if file == nil {
		return
	}
	c.past.add(pastEpisode{Key: file.alert.DedupKey, Dimension: id.dimension, Identity: id.identity,
		From: int64(file.alert.Onset), To: ep.Closed})
	c.leave(id, file, true)
	delete(c.files, id)
	c.changed[id] = true
}

// drop clears the way for a new episode of an identity whose old one has not
// been forgotten yet.
func (c *Task) drop(id episodeID) {
	if file := c.files[id]; file != nil {
		c.leave(id, file, true)
		delete(c.keys, file.alert.DedupKey)
	}
}

// appendDossier appends the dossier and the alert.
func appendDossier(b []byte, d *episodeRecord) []byte {
	text, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("stream: a dossier does not encode: %v", err)) // a mistake in this package: it holds plain values
	}
	return d.alert.AppendJSON(wire.AppendBytes(b, text))
}

func readDossier(r *wire.Reader) (*episodeRecord, error) {
	d := new(episodeRecord)
	text := r.Bytes()
	if r.Err() != nil {
		return nil, r.Err()
	}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("%w: %w", err, wire.ErrCorrupt)
	}
	var err error
	d.alert, err = alerting.ParseAlert(r.Rest())
	return d, err
}
