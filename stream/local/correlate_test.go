package local_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
)

// The dimensions of the tests, by their place in event.DefaultDimensions.
func (l *lab) dim(t testing.TB, name string) int {
	t.Helper()
	i := slices.Index(l.names, name)
	if i < 0 {
		t.Fatalf("no dimension %s among %v", name, l.names)
	}
	return i
}

// desk feeds a correlate task what the tests write down, tick by tick, and
// keeps what it says.
type desk struct {
	*lab
	t      testing.TB
	c      *correlate.Task
	config correlate.Config
	fleet  map[string][]byte
	offset int64
	said   []*correlate.Verdict // the log of verdicts
	tick   int64
	found  correlate.Findings // of the latest tick
	all    []alerting.Alert   // since the beginning
	hidden []correlate.Suppressed
	orders []stream.Command
}

func newDesk(t testing.TB, expected ...correlate.Expectation) *desk {
	d := &desk{lab: newLab(t), t: t, fleet: map[string][]byte{}}
	d.config = d.correlate(1)
	d.config.Expected = expected
	d.tick = d.grid.TickOf(1_772_442_000_000) // Mon 2 Mar 2026, 09:00
	d.restore()
	return d
}

// restore begins again from what was written down.
func (d *desk) restore() {
	d.c = correlate.New(d.config)
	for key, value := range d.fleet {
		if err := d.c.Load([]byte(key), value); err != nil {
			d.t.Fatal(err)
		}
	}
	for i := d.c.VerdictOffset(); i < int64(len(d.said)); i++ {
		d.c.ApplyVerdict(i, d.said[i])
	}
}

// next lets one tick pass in which the given was found.
func (d *desk) next(cands []stream.Candidate, facts []stream.FactCandidate, traits *campaign.TraitSums) correlate.Findings {
	d.t.Helper()
	d.tick++
	r := &stream.EvidenceReport{Done: d.tick, Candidates: cands, Facts: facts}
	for i := range r.Candidates {
		r.Candidates[i].Tick, r.Candidates[i].Bin = d.tick, d.grid.BinOfTick(d.tick)
	}
	for i := range r.Facts {
		r.Facts[i].Tick = d.tick
	}
	if traits != nil {
		d.sums(r, traits)
	}
	if err := d.c.Apply(d.offset, r); err != nil {
		d.t.Fatal(err)
	}
	d.offset++
	d.found = d.c.Advance()
	d.all = append(d.all, d.found.Alerts...)
	d.hidden = append(d.hidden, d.found.Suppressed...)
	if p := d.found.Parameters; p != nil {
		for _, c := range p.Commands {
			if len(d.orders) == 0 || c.Seq > d.orders[len(d.orders)-1].Seq {
				d.orders = append(d.orders, c)
			}
		}
	}
	for _, c := range d.c.Snapshot() {
		if c.Value == nil {
			delete(d.fleet, string(c.Key))
		} else {
			d.fleet[string(c.Key)] = slices.Clone(c.Value)
		}
	}
	return d.found
}

func emptySums() []byte { return new(score.Sums).AppendBinary(nil) }

// sums adds a bin that ends with the tick.
func (d *desk) sums(r *stream.EvidenceReport, traits *campaign.TraitSums) {
	bin := d.grid.BinOfTick(d.tick)
	if d.tick != d.grid.LastTick(bin) {
		d.t.Fatal("sums come at the end of a bin")
	}
	r.Bins = []stream.BinSums{{Bin: bin, Sums: emptySums(), Traits: traits.AppendBinary(nil)}}
}

func (d *desk) quiet(ticks int64) {
	for range ticks {
		d.next(nil, nil, nil)
	}
}

// toBinEnd lets ticks pass so that the next one ends a bin.
func (d *desk) toBinEnd() {
	for d.tick+1 != d.grid.LastTick(d.grid.BinOfTick(d.tick+1)) {
		d.next(nil, nil, nil)
	}
}

// verdict says something of an episode.
func (d *desk) verdict(kind correlate.VerdictKind, key string) {
	v := &correlate.Verdict{ID: fmt.Sprint("v", len(d.said)), Kind: kind, DedupKey: key, Author: "kim", Reason: "why"}
	if kind == correlate.Expected {
		v.Expires = alerting.Time((d.tick + 12*24*30) * d.grid.Tick)
	}
	if err := v.Validate(); err != nil {
		d.t.Fatal(err)
	}
	d.c.ApplyVerdict(int64(len(d.said)), v)
	d.said = append(d.said, v)
}

// cand is a candidate with evidence and exposure.
func (d *desk) cand(dim, identity string, log float64, exposed int64, traits ...campaign.TraitShare) stream.Candidate {
	since := (d.tick - 12) * d.grid.Tick
	return stream.Candidate{
		Dimension: d.dim(d.t, dim), Identity: identity, Log: log, Onset: since,
		Measures: []stream.MeasureEvidence{{Measure: "distinct", Log: log, Observed: float64(exposed), Expected: 1, Rates: []stream.RateEvidence{}}},
		Exposed:  episode.Exposed{Records: exposed, Low: exposed, High: exposed, Since: since},
		Context:  stream.Context{Traits: traits},
	}
}

func (d *desk) through(dim, identity string, share float64) campaign.TraitShare {
	return campaign.TraitShare{Trait: trait.Trait{Dimension: d.dim(d.t, dim), Identity: identity}, Share: share}
}

func factOf(dim int, identity string, f fact.Name, exposed int64) stream.FactCandidate {
	return stream.FactCandidate{Dimension: dim, Identity: identity, Fact: f, Time: 1_772_400_000_000,
		Exposed: episode.Exposed{Records: exposed, Low: exposed, High: exposed, Since: 1_772_400_000_000}}
}

// says lists what was told in the latest tick, a line each.
func says(found correlate.Findings) (out []string) {
	for _, a := range found.Alerts {
		out = append(out, fmt.Sprintf("%s %s %s %s", a.Status, a.Dimension, a.Identity, a.Severity))
	}
	for _, s := range found.Suppressed {
		out = append(out, fmt.Sprintf("(%s %s %s by %s)", s.Alert.Status, s.Alert.Dimension, s.Alert.Identity, s.By.Kind))
	}
	return out
}

func (d *desk) want(lines ...string) {
	d.t.Helper()
	if got := says(d.found); !slices.Equal(got, lines) {
		d.t.Fatalf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

func (d *desk) keyOf(dimension, identity string) string {
	for i := len(d.all) - 1; i >= 0; i-- {
		if a := &d.all[i]; a.Dimension == dimension && a.Identity == identity {
			return a.DedupKey
		}
	}
	d.t.Fatalf("no alert of %s %s", dimension, identity)
	return ""
}

// company is what a calm fleet of n users looks like at the end of a bin: all
// through the office's network and one key, each through an endpoint.
func (d *desk) company(n int, add func(i int, m *campaign.ActiveIdentity)) *campaign.TraitSums {
	s := new(campaign.TraitSums)
	for i := range n {
		m := &campaign.ActiveIdentity{Dimension: d.dim(d.t, "user"), Identity: fmt.Sprintf("u%03d", i), Log: -1, Observed: 10, Expected: 10,
			Traits: []trait.Trait{{Dimension: d.dim(d.t, "network"), Identity: "office"}, {Dimension: d.dim(d.t, "key"), Identity: "kid-1"}}}
		if add != nil {
			add(i, m)
		}
		s.Add(m)
	}
	return s
}

// settle lets the fleet be known for four days.
func (d *desk) settle(n int) {
	for range 4 * 24 {
		d.toBinEnd()
		d.next(nil, nil, d.company(n, nil))
	}
}

// Facts open an episode without evidence, in any dimension and of a source.
func TestFactsAreTold(t *testing.T) {
	d := newDesk(t)
	user := d.dim(t, "user")
	d.next(nil, []stream.FactCandidate{factOf(user, "lee", fact.ActedAfterLeave, 12)}, nil)
	d.want("open user lee high")
	a := d.found.Alerts[0]
	if a.Kind != alerting.KindFact || a.Fact != fact.ActedAfterLeave || a.Confidence != episode.Certain || a.Exposed.Records != 12 {
		t.Fatalf("the alert is %+v", a)
	}
	d.next(nil, []stream.FactCandidate{factOf(user, "lee", fact.ActedAfterLeave, 20)}, nil)
	d.want()
	d.next([]stream.Candidate{d.cand("user", "lee", 20, 30)}, []stream.FactCandidate{factOf(user, "lee", fact.DormantWoke, 30)}, nil)
	d.want("update user lee high") // a second fact, and evidence beside it
	if a := d.found.Alerts[0]; a.Fact != fact.ActedAfterLeave || a.Measure != "distinct" {
		t.Fatalf("the gravest fact and the evidence: %+v", a)
	}
	d.next(nil, []stream.FactCandidate{factOf(stream.SourceDimension, "crm.access", fact.SourceSilent, 0)}, nil)
	d.want("open source crm.access medium")
	d.quiet(72)
	d.want("close source crm.access medium")
}

// An episode in one dimension and its image in another are one message; an
// office through which everybody comes is no image of one user.
func TestOneLeakIsOneMessage(t *testing.T) {
	d := newDesk(t)
	d.next([]stream.Candidate{
		d.cand("user", "eve", 20, 500, d.through("client", "curl", 1), d.through("network", "office", 1)),
		d.cand("client", "curl", 20, 510, d.through("user", "eve", 0.98)),
		d.cand("network", "office", 20, 9000, d.through("user", "eve", 0.05)),
	}, nil, nil)
	d.want("open network office high", "open user eve medium", "(open client curl by campaign)")
	if by := d.hidden[0].By; by.Name != d.keyOf("user", "eve") {
		t.Fatalf("held back by %s, want by the episode of eve", by.Name)
	}
	d.next([]stream.Candidate{d.cand("client", "curl", 20, 1100, d.through("user", "eve", 0.4))}, nil, nil)
	d.want("open client curl high") // it has outgrown eve's
}

// Accounts that share a network which few others use are one campaign; the
// network that everybody shares makes none.
func TestCampaignOfWhatIsShared(t *testing.T) {
	for _, shared := range []string{"203.0.113.0/24", "office"} {
		t.Run(shared, func(t *testing.T) {
			d := newDesk(t)
			d.settle(60)
			var cands []stream.Candidate
			for i := range 4 {
				cands = append(cands, d.cand("user", fmt.Sprintf("u%03d", i), 20, 200+int64(i), d.through("network", shared, 0.9), d.through("key", "kid-1", 1)))
			}
			d.next(cands, nil, nil)
			if shared == "office" {
				d.want("open user u000 medium", "open user u001 medium", "open user u002 medium", "open user u003 medium")
				return
			}
			d.want("open campaign network 203.0.113.0/24 medium",
				"(open user u000 by campaign)", "(open user u001 by campaign)", "(open user u002 by campaign)", "(open user u003 by campaign)")
			a := d.found.Alerts[0]
			if a.Kind != alerting.KindCampaign || a.Members.Count != 4 || a.Members.Top[0].Identity != "u003" {
				t.Fatalf("members: %+v", a.Members)
			}
			if e := a.Exposed; e.Low != 203 || e.Records != 806 || e.High != 806 {
				t.Fatalf("exposed %+v, want at least the largest and at most the sum", e)
			}
			// Others join, and a critical one is told alone.
			for i := range cands {
				cands[i] = d.cand("user", fmt.Sprintf("u%03d", 4+i), 20, 200, d.through("network", shared, 0.9))
			}
			cands[0].Exposed.Records = 20_000
			d.next(cands, nil, nil)
			d.want("update campaign network 203.0.113.0/24 critical", "open user u004 critical",
				"(open user u005 by campaign)", "(open user u006 by campaign)", "(open user u007 by campaign)")
			d.quiet(24*12 + 1)
			last := d.all[len(d.all)-1]
			if last.Status != alerting.Close || last.Dimension != alerting.CampaignDimension {
				t.Fatalf("after a day of quiet: %s %s", last.Status, last.Dimension)
			}
		})
	}
}

// A campaign of few episodes names who else comes through what they share and
// shows something, though too little to be told of.
func TestCampaignNamesTheWeak(t *testing.T) {
	d := newDesk(t)
	d.settle(60)
	strong := func() []stream.Candidate {
		return []stream.Candidate{d.cand("user", "u000", 20, 200, d.through("network", "mules", 0.5)), d.cand("user", "u001", 20, 210, d.through("network", "mules", 0.5))}
	}
	d.next(strong(), nil, nil)
	d.want("open campaign network mules medium", "(open user u000 by campaign)", "(open user u001 by campaign)")
	d.toBinEnd()
	d.next(strong(), nil, d.company(60, func(i int, m *campaign.ActiveIdentity) {
		if i < 6 {
			m.Log = 1.5
			m.Traits = append(m.Traits, trait.Trait{Dimension: d.dim(t, "network"), Identity: "mules"})
		}
	}))
	d.want("update campaign network mules medium") // three times as many
	if a := d.found.Alerts[0]; a.Members.Count != 6 || len(a.Members.Top) != 5 || a.Members.Top[2].Identity != "u002" {
		t.Fatalf("members %+v", a.Members)
	}
}

// Ten thousand accounts cannot make ten thousand pages, though nothing but the
// time is known to be shared.
func TestManyAtOnce(t *testing.T) {
	d := newDesk(t)
	var cands []stream.Candidate
	for i := range 10_000 {
		cands = append(cands, d.cand("user", fmt.Sprintf("u%05d", i), 20, 20_000+int64(i)))
	}
	d.next(cands, nil, nil)
	if n := len(d.found.Alerts); n != 1+alerting.MaxTop {
		t.Fatalf("%d alerts, want the campaign's and those of its first critical members", n)
	}
	if a := d.found.Alerts[0]; a.Kind != alerting.KindCampaign || a.Members.Count != 10_000 {
		t.Fatalf("the first is %+v", a.Members)
	}
	if len(d.found.Suppressed) != 10_000-alerting.MaxTop {
		t.Fatalf("%d are listed as suppressed", len(d.found.Suppressed))
	}
}

// A campaign day: fifteen mild episodes at once are one message, and a few more
// later in the day do not ask for another.
func TestCampaignDay(t *testing.T) {
	d := newDesk(t)
	d.settle(60)
	told := len(d.all)
	for step := range 5 {
		var cands []stream.Candidate
		for i := range 3 {
			cands = append(cands, d.cand("user", fmt.Sprintf("u%03d", 3*step+i), 12.5, 60, d.through("network", "office", 1)))
		}
		d.next(cands, nil, nil)
	}
	var users, campaigns int
	for _, a := range d.all[told:] {
		switch {
		case a.Kind == alerting.KindCampaign && a.Status == alerting.Open:
			campaigns++
		case a.Kind == alerting.Statistical:
			users++
		}
	}
	if users > 3 || campaigns != 1 {
		t.Fatalf("%d users told by themselves and %d campaigns, want no more than came before it showed, and one", users, campaigns)
	}
	if a := d.all[len(d.all)-1]; a.Kind != alerting.KindCampaign || a.Members.Count < 10 {
		t.Fatalf("the campaign at last: %+v", a)
	}
}

// Stolen accounts through four networks, each too weak to be told of:
// together they are.
func TestCrowdOfWeakEvidence(t *testing.T) {
	mules := func(log float64) func(d *desk) {
		return func(d *desk) {
			d.next(nil, nil, d.company(150, func(i int, m *campaign.ActiveIdentity) {
				if i < 32 {
					m.Log = log
					m.Observed += 4
					m.Traits = append(m.Traits, trait.Trait{Dimension: d.dim(d.t, "network"), Identity: fmt.Sprint("mule-", i%4)})
				}
			}))
		}
	}
	d := newDesk(t)
	d.settle(150)
	if len(d.all) != 0 {
		t.Fatalf("a calm company: %v", d.all)
	}
	d.toBinEnd()
	mules(4)(d)
	d.want("open campaign network mule-0 medium", "open campaign network mule-1 medium", "open campaign network mule-2 medium", "open campaign network mule-3 medium")
	a := d.found.Alerts[0]
	if a.Members.Count != 8 || a.Members.Top[0].Identity != "u000" || a.Observed != 8*14 || a.Expected != 8*10 {
		t.Fatalf("%+v, observed %g, expected %g", a.Members, a.Observed, a.Expected)
	}
	// The same of everybody is no crowd behind a network.
	d = newDesk(t)
	d.settle(150)
	d.toBinEnd()
	d.next(nil, nil, d.company(150, func(i int, m *campaign.ActiveIdentity) {
		m.Log = 4
		m.Traits = append(m.Traits, trait.Trait{Dimension: d.dim(d.t, "network"), Identity: fmt.Sprint("floor-", i%4)})
	}))
	d.want()
}

// What is declared to be expected is told to nobody, is listed with its reason,
// and is told after all when it is more than was declared.
func TestExpected(t *testing.T) {
	rule := correlate.Expectation{
		Name: "nightly", Dimension: "user", Identity: "svc-*", Measures: []string{"distinct"}, AtMost: 1000,
		Owner: "data", Reason: "the nightly export", Expires: 1_775_000_000_000,
	}
	d := newDesk(t, rule)
	d.next([]stream.Candidate{d.cand("user", "svc-export", 20, 300), d.cand("user", "kim", 20, 300)}, nil, nil)
	d.want("open user kim medium", "(open user svc-export by config)")
	if by := d.found.Suppressed[0].By; by.Name != "nightly" || by.Owner != "data" || by.Reason == "" || by.Expires == 0 {
		t.Fatalf("suppressed by %+v", by)
	}
	d.next([]stream.Candidate{d.cand("user", "svc-export", 20, 700)}, nil, nil)
	d.want("(update user svc-export by config)")
	d.next([]stream.Candidate{d.cand("user", "svc-export", 20, 1001)}, nil, nil)
	d.want("open user svc-export high")
	d.next(nil, []stream.FactCandidate{factOf(d.dim(t, "user"), "svc-report", fact.DormantWoke, 1)}, nil)
	d.want("open user svc-report medium") // facts must be declared too
}

func TestVerdicts(t *testing.T) {
	d := newDesk(t)
	goes := func(exposed int64) { d.next([]stream.Candidate{d.cand("user", "eve", 20, exposed)}, nil, nil) }
	goes(200)
	d.want("open user eve medium")
	key := d.keyOf("user", "eve")

	d.verdict(correlate.Acknowledged, key)
	for range 25 * 12 {
		goes(200)
		d.want() // no reminder
	}
	d.verdict(correlate.Expected, key)
	goes(200)
	d.want("close user eve medium") // people had it open
	goes(500)
	d.want("(update user eve by verdict)")
	if by := d.found.Suppressed[0].By; by.Owner != "kim" || by.Reason != "why" {
		t.Fatalf("held back by %+v", by)
	}
	d.verdict(correlate.Reopened, key)
	goes(500)
	d.want("open user eve medium")
	if len(d.orders) != 0 {
		t.Fatalf("orders before anything was confirmed: %v", d.orders)
	}

	d.verdict(correlate.Confirmed, key)
	goes(500)
	d.want("update user eve critical")
	if e := d.found.Effects; len(e) != 1 || e[0].Verdict.Kind != correlate.Confirmed || int64(e[0].Time) != d.grid.TickEnd(d.tick) {
		t.Fatalf("effects %+v", e)
	}
	confirmed := d.grid.BinOfTick(d.tick)
	d.quiet(23 * 12)
	d.want() // a confirmed leak is slow to close
	d.quiet(13)
	if last := d.all[len(d.all)-1]; last.Status != alerting.Close {
		t.Fatalf("after a day: %s", last.Status)
	}
	if len(d.orders) == 0 {
		t.Fatal("nothing was taken out of the baseline")
	}
	o := d.orders[0]
	if o.Kind != stream.Excise || o.Identity != "eve" || o.ToBin != confirmed || o.FromBin >= o.ToBin || o.Bin < o.ToBin {
		t.Fatalf("the first order is %+v, confirmed in bin %d", o, confirmed)
	}
	for i := 1; i < len(d.orders); i++ {
		if d.orders[i].FromBin != d.orders[i-1].ToBin+1 {
			t.Fatalf("orders leave a gap or overlap: %+v", d.orders)
		}
	}
}

// A verdict finds an episode that is over for weeks, and waits for one that is
// not known yet, as after a reset.
func TestVerdictsLateAndEarly(t *testing.T) {
	d := newDesk(t)
	d.next([]stream.Candidate{d.cand("user", "eve", 20, 200)}, nil, nil)
	key := d.keyOf("user", "eve")
	d.quiet(3 * 24 * 12)
	d.restore()
	d.verdict(correlate.Confirmed, key)
	d.quiet(13)
	if len(d.orders) != 1 || d.orders[0].Identity != "eve" {
		t.Fatalf("orders %+v, want eve's", d.orders)
	}

	again := newDesk(t)
	again.verdict(correlate.Confirmed, key)
	again.next([]stream.Candidate{again.cand("user", "eve", 20, 200)}, nil, nil)
	again.want("open user eve critical")
}

// Wherever correlate is killed and restored, it says the same.
func TestCorrelateRestores(t *testing.T) {
	for seed := range seeds() {
		calm, killed := story(t, seed, false), story(t, seed, true)
		compare(t, fmt.Sprint("seed ", seed), killed, calm)
		if len(calm) < 30 {
			t.Fatalf("seed %d: only %d lines: too few to tell anything", seed, len(calm))
		}
	}
}

// story plays four days of candidates, facts, crowds and verdicts by a dice.
func story(t *testing.T, seed uint64, kills bool) (out []string) {
	dice, fate := rand.New(rand.NewPCG(seed, 5)), rand.New(rand.NewPCG(seed, 6))
	d := newDesk(t, correlate.Expectation{Name: "x", Dimension: "user", Identity: "u1*", AtMost: 500, Owner: "o", Reason: "r",
		Weekly: []correlate.Weekly{{Days: [7]bool{true, true, true, true, true, true, true}, Start: 22 * 60, End: 6 * 60}}})
	networks := []string{"office", "a", "b", "c"}
	kinds := []correlate.VerdictKind{correlate.Acknowledged, correlate.Expected, correlate.Confirmed, correlate.Reopened}
	for range 4 * 24 * 12 {
		var cands []stream.Candidate
		var facts []stream.FactCandidate
		if dice.IntN(6) == 0 {
			for range 1 + dice.IntN(6) {
				user, net := fmt.Sprintf("u%02d", dice.IntN(20)), networks[dice.IntN(4)]
				cands = append(cands, d.cand("user", user, 3+12*dice.Float64(), int64(dice.IntN(40))*int64(dice.IntN(700)),
					d.through("network", net, dice.Float64()), d.through("client", "curl", dice.Float64())))
			}
			slices.SortFunc(cands, func(a, b stream.Candidate) int { return strings.Compare(a.Identity, b.Identity) })
			cands = slices.CompactFunc(cands, func(a, b stream.Candidate) bool { return a.Identity == b.Identity })
		}
		if dice.IntN(40) == 0 {
			cands = append(cands, d.cand("network", networks[dice.IntN(4)], 12, 300, d.through("user", fmt.Sprintf("u%02d", dice.IntN(20)), 1)))
			facts = append(facts, factOf(d.dim(t, "key"), "kid-2", fact.RetiredKey, int64(dice.IntN(3000))))
		}
		if dice.IntN(30) == 0 && len(d.all) > 0 {
			d.verdict(kinds[dice.IntN(4)], d.all[dice.IntN(len(d.all))].DedupKey)
		}
		var traits *campaign.TraitSums
		if d.tick+1 == d.grid.LastTick(d.grid.BinOfTick(d.tick+1)) {
			weak := dice.IntN(10) == 0
			traits = d.company(40, func(i int, m *campaign.ActiveIdentity) {
				if weak && i < 8 {
					m.Log = 4
					m.Traits = append(m.Traits, trait.Trait{Dimension: d.dim(t, "network"), Identity: networks[1+dice.IntN(2)]})
				}
			})
		}
		if kills && fate.IntN(5) == 0 {
			d.restore() // what came since the last commit comes again
		}
		found := d.next(cands, facts, traits)
		out = append(out, lines(t, found.Alerts)...)
		for i := range found.Suppressed {
			out = append(out, string(found.Suppressed[i].AppendJSON(nil)))
		}
		for _, e := range found.Effects {
			out = append(out, fmt.Sprint(e.Time, e.Verdict))
		}
		if p := found.Parameters; p != nil {
			out = append(out, string(p.AppendBinary(nil)))
		}
	}
	return out
}
