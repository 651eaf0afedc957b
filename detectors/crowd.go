package detectors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Crowd finds what many identities do together and none does enough of alone:
// a leak that is spread over the accounts behind one network, client, endpoint
// or key. It is fed, bin by bin, the weak evidence of the identities behind each
// trait.
//
// Under the hypothesis that one in ten of those behind a trait drifts, the
// likelihood ratio of all of them is the product over them of 1-p+p·e, where e
// is the evidence of one (Xie and Siegmund 2013). If the identities behind the
// trait are like the rest of the fleet and independent, that product divided by
// what the rest has on average, raised to their number, is an e-value: it
// exceeds x with a probability of at most 1/x (Markov), whatever the evidence
// of one is distributed like. So a day on which everybody does more raises
// nothing: the rest does more too. What people behind one trait have in common
// beyond that (a team that works on the same project) breaks the independence;
// therefore the threshold is the larger of the formula and the tail that the
// fleet's own traits have shown.
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
	peak  float64 // of the evidence, falling
}

// CrowdSum is what the identities behind one trait add up to in a bin, and all
// of their dimension.
type CrowdSum struct {
	Trait     string  // any name, the same in each bin
	N, AllN   float64 // identities behind the trait, and all
	Weak      float64 // sum of the mixtures of those behind the trait, nats
	Linear    float64 // sum of 1-p+p·e over them
	AllLinear float64 // and over all
	Over      uint64  // those whose own evidence is above the cut
}

// CrowdEvidence is the verdict on one trait.
type CrowdEvidence struct {
	Log       float64 // natural log of the joint e-value
	Threshold float64
	Share     float64 // of the fleet's identities that come through the trait, before this bin
}

// Bounds of a Crowd.
const (
	crowdRest    = 10   // identities that do not share the trait, below which there is nothing to hold it against
	crowdOver    = 3    // identities with evidence of their own that make a crowd
	crowdDoubt   = 4    // what one more of them is taken to show, in 1-p+p·e: few may have been lucky
	crowdSpend   = 0.1  // part of the budget
	crowdDays    = 28.0 // horizon of shares and tail
	crowdForget  = 28.0 // days after which a trait that nobody has used is forgotten
	maxCrowd     = 8192 // traits remembered, the lately seen first
	crowdPrior   = 0.5  // identities that a trait never seen is taken to have had
	crowdVersion = 1
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
	threshold := c.threshold(perDay, budget, len(sums))
	out := make([]CrowdEvidence, len(sums))
	for i := range sums {
		out[i] = c.score(&sums[i], perDay)
		out[i].Threshold = threshold
	}
	c.forget(perDay)
	return out
}

// threshold returns the log evidence that opens a campaign.
func (c *Crowd) threshold(perDay, budget float64, live int) float64 {
	spend := crowdSpend * budget
	formula := math.Log(perDay * float64(max(live, 1)) / spend)
	return min(max(formula, tailThreshold(&c.tail, max(c.tailDays, 1), spend), minThreshold), maxThreshold)
}

func (c *Crowd) score(s *CrowdSum, perDay float64) CrowdEvidence {
	t, known := c.traits[s.Trait]
	ev := CrowdEvidence{Share: t.share}
	if !known {
		ev.Share = crowdPrior / (s.AllN + 1)
	}
	if rest := s.AllN - s.N; rest >= crowdRest && s.Over >= crowdOver {
		usual := (s.AllLinear - s.Linear + crowdDoubt) / (rest + 1)
		ev.Log = s.Weak - s.N*math.Log(usual)
		ev.Log = min(max(ev.Log, 0), MaxLog)
	}
	if !known {
		t.share, t.bins = ev.Share, perDay // a day of it, so that a first day makes nothing usual
	}
	t.bins = min(t.bins+1, crowdDays*perDay)
	t.share += (s.N/max(s.AllN, 1) - t.share) / t.bins
	before := max(t.peak-8/perDay*float64(c.bin-t.seen), 0)
	if !known {
		before = 0
	}
	for i := tailEdge(before); i < tailEdge(ev.Log); i++ {
		c.tail[i]++
	}
	t.peak = max(before, ev.Log)
	t.seen = c.bin
	c.traits[s.Trait] = t
	return ev
}

// Share returns which part of the fleet's identities comes through a trait, and
// whether that is known.
func (c *Crowd) Share(trait string) (float64, bool) {
	t, ok := c.traits[trait]
	return t.share, ok
}

// Known returns how many traits are remembered whose name begins with a prefix.
func (c *Crowd) Known(prefix string) (n int) {
	for name := range c.traits {
		if strings.HasPrefix(name, prefix) {
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
	if len(c.traits) <= maxCrowd {
		return
	}
	names := c.names()
	slices.SortFunc(names, func(a, b string) int {
		x, y := c.traits[a], c.traits[b]
		return cmp.Or(cmp.Compare(y.seen, x.seen), cmp.Compare(y.share, x.share), cmp.Compare(a, b))
	})
	for _, name := range names[maxCrowd:] {
		delete(c.traits, name)
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
	b = appendFloat64(b, c.days)
	b = appendFloat64(b, c.tailDays)
	for _, v := range c.tail {
		b = appendFloat64(b, v)
	}
	b = binary.AppendUvarint(b, uint64(len(c.traits)))
	for _, name := range c.names() {
		t := c.traits[name]
		b = appendString(b, name)
		b = binary.AppendVarint(b, t.seen)
		b = appendFloat64(b, t.bins)
		b = appendFloat64(b, t.share)
		b = appendFloat64(b, t.peak)
	}
	return b
}

// DecodeCrowd reads what AppendBinary wrote and returns the bytes after it.
func DecodeCrowd(b []byte) (*Crowd, []byte, error) {
	r := reader{b: b}
	if v := r.byte(); !r.bad && v != crowdVersion {
		return nil, nil, fmt.Errorf("decoding a crowd of version %d, where this program reads %d: %w", v, crowdVersion, ErrCorrupt)
	}
	c := &Crowd{bin: r.varint(), days: r.float64(), tailDays: r.float64(), traits: map[string]crowdTrait{}}
	for i := range c.tail {
		c.tail[i] = r.float64()
	}
	n := r.uvarint()
	if n > maxCrowd {
		r.fail()
	}
	for i := uint64(0); i < n && !r.bad; i++ {
		name := r.string(maxName)
		c.traits[name] = crowdTrait{r.varint(), r.float64(), r.float64(), r.float64()}
	}
	if r.bad {
		return nil, nil, fmt.Errorf("decoding a crowd: %w", ErrCorrupt)
	}
	return c, r.b, nil
}
