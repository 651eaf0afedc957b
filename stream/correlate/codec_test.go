package correlate

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate/past"
)

var testDimensions = []string{"user", "network", "client", "key", "endpoint"}

// testConfig is a deployment of one detect task, ticks of 5 minutes and bins of an
// hour.
func testConfig() Config {
	return Config{
		Grid:       eventtime.Grid{Tick: 5 * eventtime.Minute, Bin: eventtime.Hour},
		Dimensions: testDimensions,
		Engine:     score.NewEngine(time.Hour, time.UTC, score.DefaultTuning()),
		Partitions: 1, Budget: fleet.NewConfig(2, testDimensions, 24), Location: time.UTC,
	}
}

// fullRecord has every field set.
func fullRecord() *episodeRecord {
	share := 0.75
	exposed := episode.Exposed{Records: 4, Low: 3, High: 5, Since: 1, Rows: 6}
	return &episodeRecord{
		key: "weir-1", holder: "lee", question: question{"slack:U9", 7, Affirmed}, lead: "weir-2", announced: true, sent: true, alone: true, excised: 9, sentOnset: 10, sentAs: episode.High, waits: 11, held: ByCampaign,
		named:   mention{by: "weir-2", severity: episode.High, confidence: episode.Certain, facts: "retired_key", reached: []string{"pager", "slack"}},
		classes: []alerting.Class{{Kind: alerting.KindFact, Dimension: "key", Detector: "facts", Measure: "rows", Fact: fact.RetiredKey, Severity: episode.High}},
		traits:  []campaign.TraitShare{{Trait: trait.Trait{Dimension: 1, Identity: "office"}, Share: 0.5}},
		learned: learned{
			onset: -1, earliest: -2, latest: 3, traitsSince: 4, through: episode.Excess{Records: 3, Low: 2, High: 4}, exposed: exposed,
			course: []stream.Course{{Measure: "distinct", Observed: 8, Expected: 2, Excess: episode.Excess{Records: 6, Low: 4, High: 7}}}, fact: fact.RetiredKey, detail: map[string]string{"retired_at": "2026-01-02"},
			shareNew: &share, firstSeen: 7, lastSeen: 8, traitsKnown: true, surest: episode.Likely,
			excess: []campaign.MeasureExcess{{Measure: "distinct", From: 9, Amount: 36}},
			evidence: caseEvidence{bin: 2, until: 3, group: "volume", log: 12.5, threshold: 10, peers: "user:crm", observed: 40, expected: 4,
				measures: []stream.MeasureEvidence{{Measure: "distinct", Log: 12.5, Observed: 40, Rates: []stream.RateEvidence{{Rate: 2, Log: 11}}}}},
		},
		campaign: &campaignRecord{
			through: &exposed, announcedAlone: 2, count: 6,
			forgotten: campaign.Totals{{Dimension: "user", Count: 1, Records: 2, High: 3, Low: 4, Rows: 5, Excess: episode.Excess{Records: 1, Low: 1, High: 2}}},
			cause: &campaign.Cause{Kind: campaign.ByTrait, Dimension: "network", Identity: "office", Log: 7, Threshold: 5,
				Weak: &campaign.WeakMembers{Bin: 3, Strong: true, Dimension: "user", Count: 4, Observed: 5, Expected: 6, Top: []string{"kim"}}},
		},
	}
}

func fullVerdicts() *verdictState {
	v := Verdict{ID: "1", Time: 5, Kind: Expected, DedupKey: "weir-1", Author: "kim", Reason: "export", Assignee: "lee", Expires: 9, Via: "slack", Signature: "0102"}
	return &verdictState{offset: 3, due: []dueVerdict{{v, "forged", 7}}, seen: map[string]given{"1": {5, "kim"}, "0": {4, "lee"}}, waiting: []Verdict{v, v},
		expected: map[episode.ID]expected{{Dimension: "user", Identity: "kim"}: {v, episode.High, ""}, {Dimension: "key", Identity: "k"}: {v, episode.Low, "retired_key"}},
		proposed: map[episode.ID]proposal{{Dimension: "key", Identity: "k2"}: {v, 99}}}
}

// Every record of the fleet topic reads back as it was, and no part of one is
// taken for the whole.
func TestRecordsReadBack(t *testing.T) {
	for name, c := range map[string]struct {
		value any
		bytes []byte
		read  func(b []byte) (any, error)
	}{
		"episode": {fullRecord(), fullRecord().appendBinary(nil), func(b []byte) (any, error) {
			r := wire.NewReader(b)
			out := readRecord(&r)
			return out, r.End()
		}},
		"campaign of a fact": {&episodeRecord{key: "k", campaign: &campaignRecord{cause: &campaign.Cause{Kind: campaign.ByFact, Fact: fact.RetiredKey, Log: 7}}},
			(&episodeRecord{key: "k", campaign: &campaignRecord{cause: &campaign.Cause{Kind: campaign.ByFact, Fact: fact.RetiredKey, Log: 7}}}).appendBinary(nil),
			func(b []byte) (any, error) {
				r := wire.NewReader(b)
				out := readRecord(&r)
				return out, r.End()
			}},
		"verdicts": {*fullVerdicts(), fullVerdicts().appendBinary(nil), func(b []byte) (any, error) { return decodeVerdictState(b) }},
		"past": {past.Episode{Key: "weir-1", ID: episode.ID{Dimension: "user", Identity: "kim"}, From: -5, To: 5, Sent: true}, pastOf(past.Episode{Key: "weir-1", ID: episode.ID{Dimension: "user", Identity: "kim"}, From: -5, To: 5, Sent: true}),
			func(b []byte) (any, error) {
				p := past.New()
				err := p.Load("weir-1", b)
				ep, _ := p.Get("weir-1")
				return ep, err
			}},
	} {
		got, err := c.read(c.bytes)
		if err != nil || !reflect.DeepEqual(got, c.value) {
			t.Errorf("%s: read %+v, %v\nwritten %+v", name, got, err, c.value)
		}
		for n := range c.bytes {
			if _, err := c.read(c.bytes[:n]); !errors.Is(err, wire.ErrCorrupt) {
				t.Errorf("%s cut to %d of %d bytes: %v", name, n, len(c.bytes), err)
			}
		}
		if _, err := c.read(append(bytes.Clone(c.bytes), 0)); !errors.Is(err, wire.ErrCorrupt) {
			t.Errorf("%s with a byte too many: %v", name, err)
		}
	}
}

func pastOf(ep past.Episode) []byte {
	p := past.New()
	p.Add(ep)
	return p.Encode(ep.Key)
}

// Records of the form before are refused, and those that contradict themselves.
func TestLoadRefuses(t *testing.T) {
	course := (&episode.Episode{Dimension: "user", Identity: "kim", First: 5, Severity: episode.Low}).AppendBinary(nil)
	alone := &episodeRecord{key: "weir-1"}
	for want, c := range map[string]struct {
		key   string
		value []byte
	}{
		"reading an episode":          {episodePrefix + "user\x00kim", append(wire.AppendBytes(nil, course), `{"told":true}`...)},
		"of another identity":         {episodePrefix + "user\x00lee", alone.appendBinary(bytes.Clone(course))},
		"what campaigns have":         {episodePrefix + "user\x00kim", fullRecord().appendBinary(bytes.Clone(course))},
		"reading a past episode":      {pastPrefix + "weir-1", []byte(`{"key":"weir-1"}`)},
		"reading the verdicts":        {VerdictsKey, []byte(`{"offset":3}`)},
		"version 1, where this":       {FleetKey, []byte{1, 0, 0}},
		"reading what is known of tr": {crowdKey, []byte{99}},
	} {
		if err := New(testConfig()).Load([]byte(c.key), c.value); !errors.Is(err, wire.ErrCorrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if err := New(testConfig()).Load([]byte("manifest"), []byte("{}")); err != nil {
		t.Errorf("a record of another part: %v", err)
	}
}

// Who reads the record of the verdicts learns whom they expect.
func TestExpectedByVerdict(t *testing.T) {
	state := fullVerdicts()
	got, err := ExpectedByVerdict(state.appendBinary(nil))
	want := []ExpectedIdentity{
		{episode.ID{Dimension: "key", Identity: "k"}, state.waiting[0]}, {episode.ID{Dimension: "user", Identity: "kim"}, state.waiting[0]},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := ExpectedByVerdict([]byte("{}")); !errors.Is(err, wire.ErrCorrupt) {
		t.Errorf("of another record: %v", err)
	}
}

// Alerts name no more members than campaigns do.
func TestMembersFit(t *testing.T) {
	if campaign.MaxNamed != alerting.MaxTop {
		t.Errorf("a campaign names %d members, an alert %d", campaign.MaxNamed, alerting.MaxTop)
	}
}

// Whatever stands in the fleet topic, it is taken or refused.
func FuzzLoad(f *testing.F) {
	ep := (&episode.Episode{Dimension: alerting.CampaignDimension, Identity: "network office", First: 5, Severity: episode.Low}).AppendBinary(nil)
	f.Add([]byte(episodePrefix+"campaign\x00network office"), fullRecord().appendBinary(ep))
	f.Add([]byte(VerdictsKey), fullVerdicts().appendBinary(nil))
	f.Add([]byte(noticesKey), (&notices{due: []dueNotice{{Notice{episode.ID{Dimension: "settings", Identity: "weir"}, "settings_changed", map[string]string{"a": "b"}}, 5}}}).change().Value)
	f.Add([]byte(pastPrefix+"weir-1"), pastOf(past.Episode{Key: "weir-1"}))
	f.Add([]byte(FleetKey), New(testConfig()).checkpoint())
	f.Add([]byte(crowdKey), new(campaign.Crowd).AppendBinary(nil))
	cfg := testConfig()
	f.Fuzz(func(t *testing.T, key, value []byte) {
		task := New(cfg)
		if err := task.Load(key, value); err != nil {
			if !errors.Is(err, wire.ErrCorrupt) {
				t.Fatalf("%v is not wire.ErrCorrupt", err)
			}
			return
		}
		task.Status()
		for _, c := range task.Snapshot() {
			if c.Value != nil && New(cfg).Load(c.Key, c.Value) != nil {
				t.Fatalf("%q is written and not read", c.Key)
			}
		}
	})
}

// Whatever detect reports, it is taken or refused.
func FuzzApply(f *testing.F) {
	b, err := (&stream.EvidenceReport{Done: 5, Candidates: []stream.Candidate{{Tick: 5, Identity: "x", Log: 20, Measures: make([]stream.MeasureEvidence, 1)}}}).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	cfg := testConfig()
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := stream.DecodeEvidenceReport(value)
		if err != nil {
			return
		}
		_ = New(cfg).Apply(0, r) // an error is an answer
	})
}
