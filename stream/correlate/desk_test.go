package correlate

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/stream"
)

// desk feeds a correlate task tick by tick, keeps what stands in the fleet topic,
// and keeps what the task says.
type desk struct {
	t        testing.TB
	cfg      Config
	task     *Task
	fleet    map[string][]byte
	offset   int64
	verdicts []*Verdict // the log of verdicts
	tick     int64      // the latest
	alerts   []alerting.Alert
	commands []stream.Command // each once
}

func newDesk(t testing.TB, expected ...Expectation) *desk {
	d := &desk{t: t, cfg: testConfig(), fleet: map[string][]byte{}}
	d.cfg.Expected = expected
	d.tick = d.cfg.Grid.TickOf(1_772_442_000_000) // Mon 2 Mar 2026, 09:00
	d.restore()
	return d
}

// restore begins again from what stands in the fleet topic.
func (d *desk) restore() {
	d.task = New(d.cfg)
	for key, value := range d.fleet {
		if err := d.task.Load([]byte(key), value); err != nil {
			d.t.Fatal(err)
		}
	}
	for i := d.task.VerdictOffset(); i < int64(len(d.verdicts)); i++ {
		d.task.ApplyVerdict(i, d.verdicts[i])
	}
}

// reset begins anew, with the log of verdicts and nothing else.
func (d *desk) reset() {
	verdicts := d.verdicts
	*d = *newDesk(d.t, d.cfg.Expected...)
	d.verdicts = verdicts
	d.restore()
}

// next lets one tick pass in which the given was found; traits are those of the
// bin that ends with it.
func (d *desk) next(candidates []stream.Candidate, facts []stream.FactCandidate, traits *campaign.TraitSums) Findings {
	d.t.Helper()
	d.tick++
	r := &stream.EvidenceReport{Done: d.tick, Candidates: candidates, Facts: facts}
	for i := range r.Candidates {
		r.Candidates[i].Tick, r.Candidates[i].Bin = d.tick, d.cfg.Grid.BinOfTick(d.tick)
	}
	for i := range r.Facts {
		r.Facts[i].Tick = d.tick
	}
	if traits != nil {
		bin := d.cfg.Grid.BinOfTick(d.tick)
		if d.tick != d.cfg.Grid.LastTick(bin) {
			d.t.Fatal("sums come at the end of a bin")
		}
		r.Bins = []stream.BinSums{{Bin: bin, Sums: new(fleet.Sums).AppendBinary(nil), Traits: traits.AppendBinary(nil)}}
	}
	if err := d.task.Apply(d.offset, r); err != nil {
		d.t.Fatal(err)
	}
	d.offset++
	found := d.task.Advance()
	d.alerts = append(d.alerts, found.Alerts...)
	if p := found.Parameters; p != nil {
		for _, c := range p.Commands {
			if len(d.commands) == 0 || c.Seq > d.commands[len(d.commands)-1].Seq {
				d.commands = append(d.commands, c)
			}
		}
	}
	for _, c := range d.task.Snapshot() {
		if c.Value == nil {
			delete(d.fleet, string(c.Key))
		} else {
			d.fleet[string(c.Key)] = slices.Clone(c.Value)
		}
	}
	return found
}

// endsBin reports whether the next tick ends a bin.
func (d *desk) endsBin() bool {
	return d.tick+1 == d.cfg.Grid.LastTick(d.cfg.Grid.BinOfTick(d.tick+1))
}

// verdict says something of an episode or campaign. What is expected is so for a
// month.
func (d *desk) verdict(kind VerdictKind, key string) {
	v := &Verdict{ID: fmt.Sprint("v", len(d.verdicts)), Kind: kind, DedupKey: key, Author: "kim", Reason: "why"}
	if kind == Expected {
		v.Expires = alerting.Time(d.cfg.Grid.TickStart(d.tick) + 30*eventtime.Day)
	}
	if err := v.Validate(); err != nil {
		d.t.Fatal(err)
	}
	d.task.ApplyVerdict(int64(len(d.verdicts)), v)
	d.verdicts = append(d.verdicts, v)
}

// latest returns the latest alert of an identity.
func (d *desk) latest(dimension, identity string) *alerting.Alert {
	d.t.Helper()
	for i := len(d.alerts) - 1; i >= 0; i-- {
		if a := &d.alerts[i]; a.Dimension == dimension && a.Identity == identity {
			return a
		}
	}
	d.t.Fatalf("no alert of %s %s", dimension, identity)
	return nil
}

func dimension(t testing.TB, name string) int {
	t.Helper()
	i := slices.Index(testDimensions, name)
	if i < 0 {
		t.Fatalf("no dimension %s among %v", name, testDimensions)
	}
	return i
}

// deskThreshold is what the evidence of a candidate must reach, in nats.
const deskThreshold = fleet.FirstThreshold

// candidate has evidence of one measure, and has exposed so many records since an
// hour ago.
func (d *desk) candidate(dim, identity string, log float64, exposed int64, through ...campaign.TraitShare) stream.Candidate {
	since := d.cfg.Grid.TickStart(d.tick - 12)
	return stream.Candidate{
		Dimension: dimension(d.t, dim), Identity: identity, Group: score.Volume.String(), Log: log, Threshold: deskThreshold, Onset: since, Earliest: since, Latest: since,
		Measures: []stream.MeasureEvidence{{Measure: "distinct", Log: log, Observed: float64(exposed), Expected: 1, Ratio: 1, Allowed: 1}},
		Exposed:  episode.Exposed{Records: exposed, Low: exposed, High: exposed, Since: since},
		Course:   []stream.Course{{Measure: "distinct", Observed: float64(exposed), Expected: 1, Excess: episode.Excess{Records: exposed, Low: exposed, High: exposed}}},
		Context:  stream.Context{Traits: through},
	}
}

func through(t testing.TB, dim, identity string, share float64) campaign.TraitShare {
	return campaign.TraitShare{Trait: trait.Trait{Dimension: dimension(t, dim), Identity: identity}, Share: share}
}

func factOf(dim int, identity string, name fact.Name, exposed int64) stream.FactCandidate {
	return stream.FactCandidate{Dimension: dim, Identity: identity, Fact: name, Time: 1_772_400_000_000,
		Exposed: episode.Exposed{Records: exposed, Low: exposed, High: exposed, Since: 1_772_400_000_000},
		Through: episode.Excess{Records: exposed, Low: exposed, High: exposed}}
}

// company is what a calm fleet of n users looks like at the end of a bin: all
// come through the office's network and one key. change, if not nil, changes a
// user.
func company(t testing.TB, n int, change func(i int, m *campaign.ActiveIdentity)) *campaign.TraitSums {
	s := new(campaign.TraitSums)
	for i := range n {
		m := &campaign.ActiveIdentity{Dimension: dimension(t, "user"), Identity: fmt.Sprintf("u%03d", i), Log: -1, Observed: 10,
			Traits: []trait.Trait{{Dimension: dimension(t, "network"), Identity: "office"}, {Dimension: dimension(t, "key"), Identity: "kid-1"}}}
		if change != nil {
			change(i, m)
		}
		s.Add(m)
	}
	return s
}
