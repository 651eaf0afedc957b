package correlate

import (
	"math"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// episodeRecord is what correlate keeps of an episode beside its course: what its
// alerts are made from, and what it belongs to.
type episodeRecord struct {
	key string // dedup key
	learned
	traits    []campaign.TraitShare // what the identity came through, by the latest report that told
	announced bool                  // people have it open, so a close must be told
	sent      bool                  // people were alerted of it at some time
	lead      string                // dedup key of what stands for it: a campaign, or an episode of another dimension that shows the same events
	alone     bool                  // it is told beside the campaign that it belongs to
	named     mention               // the latest message that named it
	waits     int64                 // end of the tick since which its leader is to name it, Unix ms; 0: nobody is to
	held      SuppressedKind        // what held its latest alert back; empty: nothing did
	asked     bool                  // its leader is to name it in this tick
	classes   []alerting.Class      // of the episodes that its messages have named, sorted
	question  question              // whether what it did was meant
	holder    string                // who looks after it, see Verdict.Holder; empty: nobody
	sentOnset int64                 // onset as the latest message told, Unix ms; 0: none did
	sentAs    episode.Severity      // severity as the latest message under the key told; 0: none did
	excised   int64                 // last bin up to which the baseline was told to forget; 0: none
	campaign  *campaignRecord       // nil: it is no campaign
}

// learned is what was learned of an episode since it opened last.
type learned struct {
	onset        int64 // Unix ms of event time, as the next two
	earliest     int64 // see stream.Candidate; as onset where it is known
	latest       int64
	exposed      episode.Exposed
	course       []stream.Course // by the latest report; none: no evidence but a fact
	through      episode.Excess  // what the facts cover
	throughSince int64           // start of the bin since which through is counted
	evidence     caseEvidence
	fact         fact.Name // the gravest of what is known; empty: nothing is
	detail       map[string]string
	factSeen     int64    // end of the latest tick that told of a fact, Unix ms
	shareNew     *float64 // see stream.Context, as the next three
	traitsSince  int64
	firstSeen    int64
	lastSeen     int64
	traitsKnown  bool                     // the traits of the record were told since
	excess       []campaign.MeasureExcess // by the latest candidate
	surest       episode.Confidence       // of those that it stands for, facts apart
}

// caseEvidence is the evidence of the bin that makes the case, the strongest so
// far. Logs are in nats and rounded as alerts show them, so that whoever reads an
// alert can repeat what was decided by them.
type caseEvidence struct {
	bin       int64
	until     int64  // end of the tick up to which it was counted, Unix ms
	group     string // of statistics: the one that stands out most
	log       float64
	threshold float64                  // what log had to reach
	peers     string                   // see stream.Candidate
	measures  []stream.MeasureEvidence // strongest first; none: no evidence but a fact
	observed  float64                  // of a campaign of many who are weak: what they did in the bin
	expected  float64                  // as observed
}

// campaignRecord is what a campaign has beside what every episode has.
type campaignRecord struct {
	cause          *campaign.Cause
	through        *episode.Exposed // what the shared trait itself has exposed, where it stands out
	forgotten      campaign.Totals  // of members whose episodes are forgotten
	announcedAlone int              // members that were told beside the campaign
	count          int64            // members there are and were, as last described
}

// reset forgets what was learned before the episode opened at the end of a tick
// (Unix ms of event time).
func (r *episodeRecord) reset(grid eventtime.Grid, end int64) {
	r.learned = learned{onset: end, earliest: end, latest: end, evidence: caseEvidence{bin: grid.BinOf(end - 1)}}
	r.named, r.waits, r.held, r.sentOnset = mention{}, 0, "", 0
}

// learn keeps what a tick showed of an episode: the case where its evidence is
// the strongest so far, and in any case the facts, and what is exposed while the
// episode is open.
func (r *episodeRecord) learn(in *tickInput, open bool, end int64) {
	if e := in.exposed(); open && e.Records+e.Rows >= r.exposed.Records+r.exposed.Rows {
		r.exposed = e // what one report tells of and another does not has been exposed all the same
	} else if open && e.Since == r.exposed.Since { // an estimate that is less than what was counted before
		r.exposed.High = max(r.exposed.High, e.High)
	}
	if c := in.candidate; c != nil {
		if !r.isStronger(c) {
			r.evidence = evidenceOf(c, end)
		}
		r.began(c.Onset, c.Earliest, c.Latest)
		if open {
			r.course = prolonged(r.course, c.Course)
		}
		r.excess = excessOf(c)
		r.learnContext(&c.Context)
		r.shareNew = c.ShareNew // also where it cannot be told any more
	}
	for i := range in.facts {
		r.learnFact(&in.facts[i], in.candidate == nil)
		r.factSeen = end
	}
}

// prolonged returns what was counted up to now, beside what is usual in as much time: each
// no less than in the shorter time before, though an estimate is another by now, and the
// hours and the mode of the days are known better.
func prolonged(was, course []stream.Course) []stream.Course {
	out := slices.Clone(course)
	for i := range out {
		c := &out[i]
		before := stream.CourseOf(was, c.Measure)
		if before == nil {
			continue
		}
		observed, expected := max(before.Observed, c.Observed), max(before.Expected, c.Expected)
		more := int64(math.Round(observed - c.Observed - (expected - c.Expected)))
		c.Observed, c.Expected = observed, expected
		for _, v := range []*int64{&c.Excess.Records, &c.Excess.Low, &c.Excess.High} {
			*v = max(0, *v+more)
		}
	}
	return out
}

func excessOf(c *stream.Candidate) []campaign.MeasureExcess {
	out := make([]campaign.MeasureExcess, len(c.Measures))
	for i := range c.Measures {
		m := &c.Measures[i]
		out[i] = campaign.MeasureExcess{Measure: m.Measure, From: m.From, Amount: m.Observed - m.Expected}
	}
	return out
}

// began keeps since when it is, unless it is known to have begun before. The interval
// narrows while the onset stays.
func (r *episodeRecord) began(onset, earliest, latest int64) {
	if onset <= r.onset {
		r.onset, r.earliest, r.latest = onset, earliest, latest
	}
}

// isStronger reports whether the case that the record keeps is stronger than the
// evidence of a candidate, whose bin may show nothing beyond the usual: evidence fades
// slowly, and thresholds move.
func (r *episodeRecord) isStronger(c *stream.Candidate) bool {
	if len(r.evidence.measures) == 0 {
		return false
	}
	return !shows(c.Measures) || c.Log-c.Threshold < r.evidence.log-r.evidence.threshold
}

// shows reports whether what was counted by the strongest measure is something that people
// would look at. What is usual of a day is that of the whole day.
func shows(measures []stream.MeasureEvidence) bool {
	if len(measures) == 0 {
		return false
	}
	m := &measures[0]
	return m.Observed > 0 && (m.Observed > m.Expected || !strings.HasSuffix(m.Measure, "_in_bin"))
}

// measure returns the strongest measure of the case, which gives the alert its name;
// empty: it rests on no evidence.
func (r *episodeRecord) measure() string {
	if len(r.evidence.measures) == 0 {
		return ""
	}
	return r.evidence.measures[0].Measure
}

// beyond returns what is beyond the usual, or covered by a fact, whichever is more.
func (r *episodeRecord) beyond() episode.Excess { return beyondOf(r.course, r.measure(), r.through) }

func beyondOf(course []stream.Course, measure string, through episode.Excess) episode.Excess {
	c := stream.CourseOf(course, measure)
	if c == nil || c.Excess.Records <= through.Records || c.Measure == "unissued" && through.Records > 0 {
		return through // counted once; the course counts unissued reads once a bin
	}
	return c.Excess
}

func evidenceOf(c *stream.Candidate, end int64) caseEvidence {
	ev := caseEvidence{
		bin: c.Bin, until: end, group: c.Group, log: alerting.RoundLog(c.Log), threshold: alerting.RoundLog(c.Threshold),
		peers: c.Peers, measures: slices.Clone(c.Measures),
	}
	for i := range ev.measures {
		ev.measures[i].Log = alerting.RoundLog(ev.measures[i].Log)
	}
	return ev
}

// learnFact keeps a fact unless a graver one is known. Its context counts where
// there is no evidence.
func (r *episodeRecord) learnFact(f *stream.FactCandidate, contextCounts bool) {
	if f.Through.Records > r.through.Records {
		r.through, r.throughSince = f.Through, f.Exposed.Since
	}
	r.began(f.Time, f.Time, f.Time)
	if r.fact != "" && r.fact != f.Fact && !graver(f.Fact, r.fact) {
		return
	}
	r.fact, r.detail = f.Fact, f.Detail
	if contextCounts {
		r.learnContext(&f.Context)
	}
}

// graver reports whether a fact says more than another: by what it means alone,
// then by name.
func graver(a, b fact.Name) bool {
	x, y := episode.SeverityOfFact(a, 0), episode.SeverityOfFact(b, 0)
	return x > y || x == y && a < b
}

// learnContext keeps what the identity came through and when it was seen.
func (r *episodeRecord) learnContext(x *stream.Context) {
	if x.LastSeen != 0 {
		r.firstSeen, r.lastSeen = x.FirstSeen, x.LastSeen
	}
	if len(x.Traits) > 0 {
		r.traits, r.traitsSince, r.traitsKnown = x.Traits, x.TraitsSince, true
	}
}
