package correlate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// Names of what raises alerts.
const (
	driftDetector    = "drift"    // the evidence of measures, see package score
	factDetector     = "facts"    // what is known
	campaignDetector = "campaign" // episodes that share a cause
)

// alertMaker makes alerts from the records of episodes.
type alertMaker struct {
	cfg      *Config
	openings *episode.Openings
}

// make returns what there is to tell of an action on an episode at the end of a
// tick. lead is the key of what stands for the episode, empty if nothing does;
// members are those for which it stands itself, nil if there are none.
func (m *alertMaker) make(ep *episode.Episode, r *episodeRecord, lead string, members *alerting.Members, action episode.Action, end int64) alerting.Alert {
	class := m.class(ep, r)
	shown := ep.Shown
	if class.Kind == alerting.KindFact {
		shown = r.factSeen
	}
	a := alerting.Alert{
		Schema: alerting.Schema, DedupKey: r.key, Campaign: lead, Status: alerting.Status(action.String()),
		Time: alerting.Time(end), Onset: alerting.Time(r.onset),
		OnsetEarliest: alerting.Time(r.earliest), OnsetLatest: alerting.Time(r.latest),
		Kind: class.Kind, Detector: class.Detector, Measure: class.Measure,
		Dimension: ep.Dimension, Identity: ep.Identity, Severity: ep.Severity,
		Fact: r.fact, Detail: r.detail, AlsoKnown: alsoKnown(ep, r), Observed: r.evidence.observed, Expected: r.evidence.expected,
		Exposed: exposedOf(&r.exposed), Excess: alerting.Bounds(r.beyond()), ShareNew: r.shareNew,
		Returns: ep.Returns, Shown: alerting.Time(shown),
		Holder:    r.holder,
		FirstSeen: alerting.Time(r.firstSeen), LastSeen: alerting.Time(r.lastSeen),
		Members: members, Evidence: m.evidence(&r.evidence), Confidence: r.confidence(),
	}
	if c := stream.CourseOf(r.course, a.Measure); c != nil {
		a.Observed, a.Expected = c.Observed, c.Expected
	}
	if r.fact != "" {
		a.Through = alerting.Bounds(r.through)
		if !a.Through.IsZero() {
			a.ThroughSince = alerting.Time(r.throughSince)
		}
	}
	if was := alerting.Time(r.sentOnset); was > a.Onset {
		a.OnsetWas = was
	}
	if a.ShareNew != nil || alerting.CountsNew(a.Measure) {
		a.MemoryDays = min(m.cfg.Retention, m.openings.Watched(r.onset)) / eventtime.Day
	}
	if ep.Opened > ep.First {
		a.Reopened = alerting.Time(ep.Opened)
	}
	if r.sentAs != ep.Severity {
		a.SeverityWas = r.sentAs
	}
	a.Evidence.Realised = m.openings.PerDay(end)
	if r.traitsKnown {
		a.Top = m.top(r)
		a.Top.Since = alerting.Time(r.traitsSince)
	}
	a.Person = m.cfg.People.Of(ep.Dimension, ep.Identity, end)
	a.Round()
	a.Summary = alerting.Summarize(&a, m.cfg.Location)
	return a
}

// class returns what decides where the alerts of an episode go.
func (m *alertMaker) class(ep *episode.Episode, r *episodeRecord) alerting.Class {
	c := alerting.Class{Dimension: ep.Dimension, Fact: r.fact, Severity: ep.Severity}
	if len(r.evidence.measures) > 0 {
		c.Measure = r.evidence.measures[0].Measure
	}
	switch {
	case r.campaign != nil:
		c.Kind, c.Detector = alerting.KindCampaign, campaignDetector
	case r.fact != "":
		c.Kind, c.Detector = alerting.KindFact, factDetector
	default:
		c.Kind, c.Detector, c.Measure = alerting.Statistical, driftDetector, cmp.Or(c.Measure, score.DayDistinct.String())
	}
	return c
}

// classes returns the class of an episode, and one for each further fact.
func (m *alertMaker) classes(ep *episode.Episode, r *episodeRecord) []alerting.Class {
	own := m.class(ep, r)
	out := []alerting.Class{own}
	for _, f := range alsoKnown(ep, r) {
		out = append(out, own.With(f))
	}
	return out
}

// alsoKnown returns the facts that hold for an episode beside the one that its record
// keeps, which is the gravest.
func alsoKnown(ep *episode.Episode, r *episodeRecord) (out []fact.Name) {
	if ep.Facts == "" || r.fact == "" {
		return nil
	}
	for name := range strings.SplitSeq(ep.Facts, ",") {
		if f := fact.Name(name); f != r.fact {
			out = append(out, f)
		}
	}
	return out
}

// reaches returns the destinations to which alerts of some classes go, sorted; nil
// if there is no choice of them.
func (m *alertMaker) reaches(classes ...alerting.Class) (out []string) {
	if m.cfg.Reaches == nil {
		return nil
	}
	for i := range classes {
		out = append(out, m.cfg.Reaches(&classes[i])...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (m *alertMaker) evidence(c *caseEvidence) alerting.Evidence {
	return alerting.Evidence{
		Bin:      alerting.Time(m.cfg.Grid.BinStart(c.bin)),
		Until:    alerting.Time(c.until),
		BinWidth: (time.Duration(m.cfg.Grid.Bin) * time.Millisecond).String(),
		Group:    c.group, LogValue: c.log, Threshold: c.threshold, Budget: m.cfg.Budget.Budget,
		Peers: c.peers, Measures: Measures(c.measures),
	}
}

// top returns what the identity came through, at most alerting.MaxTop of each
// dimension.
func (m *alertMaker) top(r *episodeRecord) (top alerting.Top) {
	for _, t := range r.traits {
		if t.Dimension < 0 || t.Dimension > len(m.cfg.Dimensions) {
			continue
		}
		list := &top.Names
		if t.Dimension < len(m.cfg.Dimensions) {
			list = top.List(m.cfg.Dimensions[t.Dimension])
		}
		if list != nil && len(*list) < alerting.MaxTop {
			*list = append(*list, alerting.Share{Value: t.Identity, Share: t.Share})
		}
	}
	return top
}

// alertMembers returns members as alerts carry them.
func alertMembers(list []campaign.Member) (out []alerting.Member) {
	for i := range list {
		m := &list[i]
		out = append(out, alerting.Member{DedupKey: m.Key, Dimension: m.Dimension, Identity: m.Identity, Severity: m.Severity, Records: m.Records})
	}
	return out
}

// Measures returns what the measures of a candidate add to its evidence, as alerts
// carry it.
func Measures(list []stream.MeasureEvidence) []alerting.MeasureEvidence {
	out := make([]alerting.MeasureEvidence, len(list))
	for i := range list {
		m := &list[i]
		out[i] = alerting.MeasureEvidence{
			Measure: m.Measure, LogValue: m.Log, Observed: m.Observed, Low: m.Low, High: m.High, Expected: m.Expected,
			Mode: m.Mode, Dispersion: m.Dispersion, From: alerting.Time(m.From), Ratio: m.Ratio, Allowed: m.Allowed,
		}
		for _, r := range m.Rates {
			out[i].Rates = append(out[i].Rates, alerting.RateEvidence{Rate: r.Rate, LogValue: r.Log})
		}
	}
	return out
}

// exposedOf returns what an episode has exposed, as alerts carry it.
func exposedOf(e *episode.Exposed) alerting.Exposed {
	return alerting.Exposed{Records: e.Records, Low: e.Low, High: e.High, Since: alerting.Time(e.Since), Rows: e.Rows}
}
