package campaign

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/internal/wire"
)

// Crowd finds what many identities do together and none does enough of alone:
// a leak that is spread over the accounts behind one network, client, endpoint
// or key. It is fed, bin by bin, the weak evidence of the identities behind each
// trait.
//
// Under the hypothesis that one in ten of those behind a trait drifts, the
// likelihood ratio of all of them is the product over them of 1-p+p·e, where e
// is the evidence of one (Xie and Siegmund 2013). If they are independent, that
// product divided by what is usual, raised to their number, is an e-value: it
// exceeds x with a probability of at most 1/x (Markov), whatever the evidence
// of one is distributed like. Usual is the largest of three means: that of the
// rest of the fleet in this bin, so that a day on which everybody does more
// raises nothing; that of the trait itself in the past, since staff are not like
// customers; and for a trait without a past, what nine in ten of the known
// traits of its dimension stay below.
//
// People behind one trait are not independent: a team works on the same project.
// So the logarithm is divided by its own root mean square in the past where that
// is above one nat, and the threshold is the larger of the formula and the tail
// that the fleet's own traits have shown.
//
// The zero value knows nothing. Crowd is used by one task and is a function of
// the sequence of bins.
type Crowd struct {
	bin      int64
	days     float64
	tailDays float64
	tail     [tailCells]float64 // upcrossings of each edge, of all traits
	traits   map[string]crowdTrait
}

// crowdTrait is what is remembered of one trait.
type crowdTrait struct {
	seen  int64   // last bin
	bins  float64 // that share is a mean of, no more than crowdDays
	share float64 // of the fleet's identities, the mean over them
	overs float64 // identities with evidence of their own that over is a mean of, a bin each, no more than maxOvers
	over  float64 // share of them that came through the trait
	usual float64 // mean of 1-p+p·e of those behind it
	swing float64 // mean square of the positive part of the joint log evidence
	head  float64 // mean records of one of those behind it in a bin
	peak  float64 // of the evidence, falling
}

// CrowdSum is what the identities behind one trait add up to in a bin, and all
// of their dimension.
type CrowdSum struct {
	Group                 string  // of traits that are held against each other
	Trait                 string  // any name, the same in each bin
	N, AllN               float64 // identities behind the trait, and all
	Weak                  float64 // sum of the mixtures of those behind the trait, nats
	Linear                float64 // sum of 1-p+p·e over them
	AllLinear             float64 // and over all
	Over                  uint64  // those behind the trait whose own evidence is above the cut
	AllOver               uint64  // and those of all
	Observed, AllObserved float64 // records of each in the bin, added up: of those behind the trait, and of all
}

// CrowdEvidence is what is decided of one trait.
type CrowdEvidence struct {
	Log       float64 // natural log of the joint e-value
	Threshold float64
	Expected  float64 // records that as many who come through the trait usually read in a bin; of a trait without a past, as many of the rest in this one
}

// Bounds of a Crowd.
const (
	crowdRest    = 10                    // identities that do not share the trait, below which there is nothing to hold it against
	crowdOver    = 3                     // identities with evidence of their own that make a crowd
	crowdDoubt   = 4                     // what one more of them is taken to show, in 1-p+p·e: few may have been lucky
	crowdYouth   = 3                     // days before anything is said: what is usual must be known
	crowdSpend   = 0.1                   // part of the budget
	crowdDays    = 28.0                  // horizon of shares and tail
	crowdForget  = 28.0                  // days after which a trait that nobody has used is forgotten
	maxCrowd     = 8192                  // traits remembered, the lately seen first
	crowdRoom    = maxCrowd + maxCrowd/4 // how many there may be before the rest are forgotten, so that not every bin pays for it
	crowdPrior   = 0.5                   // identities that a trait never seen is taken to have had
	maxOvers     = 2000.0                // so that over follows what changes
	crowdVersion = 3
)

// Close takes in one bin of all traits, in any order of the list as long as
// each stands in it once, and returns the evidence on each, in the same order.
// Bins come in ascending order; budget is that of the whole fleet, alerts a day.
func (c *Crowd) Close(bin int64, perDay, budget float64, sums []CrowdSum) []CrowdEvidence {
	if c.traits == nil {
		c.traits = map[string]crowdTrait{}
	}
	gap := 1.0
	if c.days > 0 {
		gap = min(float64(bin-c.bin), perDay) // nights count, outages do not
	}
	fade := math.Exp(-gap / (crowdDays * perDay))
	c.days = c.days*fade + gap/perDay
	c.tailDays = c.tailDays*fade + gap/perDay
	for i := range c.tail {
		c.tail[i] *= fade
	}
	c.bin = bin
	crowds := 0
	for i := range sums {
		if sums[i].N >= crowdOver {
			crowds++
		}
	}
	threshold := c.threshold(perDay, budget, crowds)
	groups := map[string]crowdTrait{} // what is typical of those with a trait that is not known
	out := make([]CrowdEvidence, len(sums))
	for i := range sums {
		s := &sums[i]
		if _, known := c.traits[s.Group+s.Trait]; known {
			continue
		}
		if _, ok := groups[s.Group]; !ok {
			groups[s.Group] = c.typical(s.Group, perDay)
		}
	}
	for i := range sums {
		out[i] = c.score(&sums[i], groups[sums[i].Group], perDay)
		out[i].Threshold = threshold
	}
	c.forget(perDay)
	return out
}

// typical returns what a trait of a group is taken for that has no past: like
// the known ones, but for the top tenth of them.
func (c *Crowd) typical(group string, perDay float64) crowdTrait {
	var usual, swing []float64
	for name, t := range c.traits {
		if t.bins > 2*perDay && strings.HasPrefix(name, group) {
			usual, swing = append(usual, t.usual), append(swing, t.swing)
		}
	}
	if len(usual) == 0 {
		return crowdTrait{usual: 1, swing: 1}
	}
	slices.Sort(usual)
	slices.Sort(swing)
	at := len(usual) * 9 / 10
	return crowdTrait{usual: usual[at], swing: swing[at]}
}

// threshold returns the log evidence that opens a campaign, where so many traits
// have enough identities behind them to make a crowd.
func (c *Crowd) threshold(perDay, budget float64, crowds int) float64 {
	spend := crowdSpend * budget
	formula := math.Log(perDay * float64(max(crowds, 1)) / spend)
	return min(max(formula, tailThreshold(&c.tail, max(c.tailDays, 1), spend), minThreshold), maxThreshold)
}

func (c *Crowd) score(s *CrowdSum, typical crowdTrait, perDay float64) CrowdEvidence {
	name := s.Group + s.Trait
	t, known := c.traits[name]
	if !known {
		t = typical
		t.share, t.bins = crowdPrior/(s.AllN+1), perDay // a day of it, so that a first day makes nothing usual
		t.over, t.overs = newShare, 5
		t.head = (s.AllObserved - s.Observed) / max(s.AllN-s.N, 1)
	}
	ev := CrowdEvidence{Expected: s.N * t.head}
	joint := 0.0
	if rest := s.AllN - s.N; s.N > 0 {
		usual := max((s.AllLinear-s.Linear+crowdDoubt)/(rest+1), t.usual)
		joint = s.Weak - s.N*math.Log(usual)
		if rest >= crowdRest && s.Over >= crowdOver && c.days >= crowdYouth {
			ev.Log = min(max(joint/math.Sqrt(max(t.swing, 1)), 0), score.MaxLog)
		}
	}
	before := max(t.peak-8/perDay*float64(c.bin-t.seen), 0)
	if !known {
		before = 0
	}
	for i := tailEdge(before); i < tailEdge(ev.Log); i++ {
		c.tail[i]++
	}
	t.peak, t.seen = max(before, ev.Log), c.bin
	t.learn(s, joint, perDay)
	c.traits[name] = t
	return ev
}

func (t *crowdTrait) learn(s *CrowdSum, joint, perDay float64) {
	t.bins = min(t.bins+1, crowdDays*perDay)
	t.share += (s.N/max(s.AllN, 1) - t.share) / t.bins
	if s.AllOver > 0 {
		t.overs = min(t.overs+float64(s.AllOver), maxOvers)
		t.over += (float64(s.Over)/float64(s.AllOver) - t.over) * min(float64(s.AllOver)/t.overs, 1)
	}
	t.usual += (s.Linear/max(s.N, 1) - t.usual) / t.bins
	t.head += (s.Observed/max(s.N, 1) - t.head) / t.bins
	over := min(max(joint, 0), score.MaxLog)
	t.swing += (over*over - t.swing) / t.bins
}

// Share returns which part of the fleet's identities comes through a trait of a
// group, or of those with evidence of their own where that is more, since it is they
// of whom episodes open; and whether that is known.
func (c *Crowd) Share(group, trait string) (float64, bool) {
	t, ok := c.traits[group+trait]
	return max(t.share, t.over), ok
}

// Known returns how many traits of a group are remembered.
func (c *Crowd) Known(group string) (n int) {
	for name := range c.traits {
		if strings.HasPrefix(name, group) {
			n++
		}
	}
	return n
}

// forget drops traits that nobody has used for long, and beyond the bound those
// not seen for the longest.
func (c *Crowd) forget(perDay float64) {
	old := c.bin - int64(crowdForget*perDay)
	for name, t := range c.traits {
		if t.seen < old {
			delete(c.traits, name)
		}
	}
	if len(c.traits) <= crowdRoom {
		return
	}
	type known struct {
		name  string
		seen  int64
		share float64
	}
	list := make([]known, 0, len(c.traits))
	for name, t := range c.traits {
		list = append(list, known{name, t.seen, t.share})
	}
	slices.SortFunc(list, func(a, b known) int {
		return cmp.Or(cmp.Compare(b.seen, a.seen), cmp.Compare(b.share, a.share), cmp.Compare(a.name, b.name))
	})
	for i := range list[maxCrowd:] {
		delete(c.traits, list[maxCrowd+i].name)
	}
}

func (c *Crowd) names() []string {
	names := make([]string, 0, len(c.traits))
	for name := range c.traits {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// AppendBinary appends the canonical encoding.
func (c *Crowd) AppendBinary(b []byte) []byte {
	b = append(b, crowdVersion)
	b = binary.AppendVarint(b, c.bin)
	b = wire.AppendFloat64(b, c.days)
	b = wire.AppendFloat64(b, c.tailDays)
	for _, v := range c.tail {
		b = wire.AppendFloat64(b, v)
	}
	b = binary.AppendUvarint(b, uint64(len(c.traits)))
	for _, name := range c.names() {
		t := c.traits[name]
		b = wire.AppendText(b, name)
		b = binary.AppendVarint(b, t.seen)
		for _, v := range []float64{t.bins, t.share, t.overs, t.over, t.usual, t.swing, t.head, t.peak} {
			b = wire.AppendFloat64(b, v)
		}
	}
	return b
}

// DecodeCrowd reads what AppendBinary wrote and returns the bytes after it.
func DecodeCrowd(b []byte) (*Crowd, []byte, error) {
	r := wire.NewReader(b)
	r.Version(crowdVersion)
	c := &Crowd{bin: r.Varint(), days: r.Float64(), tailDays: r.Float64(), traits: map[string]crowdTrait{}}
	for i := range c.tail {
		c.tail[i] = r.Float64()
	}
	for range r.CountUpTo(crowdRoom) {
		if r.Err() != nil {
			break
		}
		name := r.TextUpTo(episode.MaxName)
		c.traits[name] = crowdTrait{r.Varint(), r.Float64(), r.Float64(), r.Float64(), r.Float64(), r.Float64(), r.Float64(), r.Float64(), r.Float64()}
	}
	if err := r.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding a crowd: %w", err)
	}
	return c, r.Rest(), nil
}
