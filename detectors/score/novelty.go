package score

import (
	"math"

	"github.com/weirhq/weir/detectors/fleet"
)

// First touches are judged as a share: given how many records a bin touched,
// how many of them were new to the identity. Whatever makes a person or a fleet
// busy, a campaign, a colleague's absence, a long day, leaves the share as it
// is; a thief who takes what it has never opened raises it. It weighs itself:
// where all is new there is nothing to say, where people revisit their records
// a few bins say everything.
//
// The share of a bin is a Beta around the identity's own, so that the count is
// beta-binomial (Skellam 1948).

// Priors and bounds of the share.
const (
	noveltyPrior   = 0.95 // of an identity of which nothing is known: all is new to it
	noveltyWeight  = 10.0 // records by which that counts
	minNovelty     = 0.02 // a share below this is not trusted
	maxNovelty     = 0.98 // nor one above
	clusterPrior   = 0.15 // correlation of the novelty of two records of a bin, before it is known
	minCluster     = 0.02
	maxCluster     = 0.9
	strangeNovelty = 0.005 // chance of a bin whose share may be anything
	youngNovelty   = 0.2   // and of a newcomer's, whose share falls as it gets to know its records
)

// share is what is expected of a share: a Beta distribution.
type share struct {
	mean    float64
	cluster float64 // 1/(1+a+b) of the Beta, uncertainty of the mean included
	strange float64 // chance of a bin whose share may be anything
}

// expectShare returns the share that is expected of first touches. scale is
// that of another horizon's mean, 1 for the first.
func (e *Engine) expectShare(s *State, t *setting, scale float64) share {
	x := &s.core[fleet.FirstTouch]
	count, n := float64(x.count), float64(x.exposure)
	mean := (noveltyWeight*noveltyPrior + count) / (noveltyWeight + n)
	mean = min(max(mean*t.mode[fleet.FirstTouch], minNovelty), maxNovelty)

	size := max(float64(s.work), 2) // records of a bin
	mass := dispersionPrior * size * (size - 1) * mean * (1 - mean)
	cluster := (mass*clusterPrior + float64(x.excess)) / (mass + float64(x.square))
	cluster = min(max(cluster, minCluster), maxCluster)
	v := share{mean: mean}
	v.cluster = min(cluster+(1+(size-1)*cluster)/(noveltyWeight+n), maxCluster)
	if scale != 1 {
		v.mean = min(max(mean*scale, minNovelty), maxNovelty)
	}
	v.strange = strangeNovelty
	if t.age < e.youth*3 {
		v.strange += youngNovelty * fleet.Exp(-t.age/e.youth)
	}
	return v
}

// ratios returns the log-likelihood ratios of f new records among n, given the
// day so far: of odds times as high as usual that a record is new (of a re-reader
// who begins to look at others and reads no more than before), and of as many
// times the usual records of which what comes on top is all new. The hours of a
// day are alike in what they bring, too: the day's own share is a Beta around the
// identity's, of which what was seen of the day is known. A day with less that is
// new than usual excuses nobody, so its share is taken as the usual one at least.
func (v *share) ratios(now *today, f, n float64) (odds, top [fleet.NumRates]float64) {
	if n < 1 {
		return odds, top
	}
	f = min(f, n)
	if n > maxSample {
		f, n = f*maxSample/n, maxSample
	}
	size, strength := 1/v.cluster-1, 1/now.likeness()-1
	among, fresh := float64(now.among), float64(now.fresh)
	likelihood := func(mean float64) float64 {
		mean = min(max((strength*mean+fresh)/(strength+among), mean), maxNovelty)
		return logBetaBinomial(f, n, mean*size, (1-mean)*size)
	}
	strange := logSum(-fleet.Ln(n+1), logBetaBinomial(f, n, allNew, 1-allNew)) - math.Ln2
	null := logSum(fleet.Ln(1-v.strange)+likelihood(v.mean), fleet.Ln(v.strange)+strange)
	weight := v.room()
	for i, r := range fleet.Rates {
		odds[i] = weight * (likelihood(r*v.mean/(1-v.mean+r*v.mean)) - null)
		top[i] = weight * (likelihood((v.mean+r-1)/r) - null)
	}
	return odds, top
}

// maxSample is how many records of a bin count as witnesses of its share: a
// batch of ten thousand is not ten thousand decisions.
const maxSample = 200

// room returns how much the share can tell: nothing where all is new anyway. It
// weighs the likelihood ratios, and the prior weight of a change, too: a stream
// without information would else gather evidence by the mere passing of time.
func (v *share) room() float64 { return min((1-v.mean)/roomNeeded, 1) }

// roomNeeded is the share of records that are not new from which the share of
// those that are counts in full. Where nearly all is new anyway, the rest is
// mostly chance and reruns; a power below one of a likelihood ratio keeps its
// mean under the null at most one (Jensen).
const roomNeeded = 0.4

// allNew is the mean of the Beta of size one that a strange bin's share may
// have, beside the uniform: nearly all is new.
const allNew = 0.95

// logBetaBinomial is the log probability of f of n, but for the binomial
// coefficient, which cancels in ratios at equal n only; it is included.
func logBetaBinomial(f, n, a, b float64) float64 {
	choose := fleet.LnGamma(n+1) - fleet.LnGamma(f+1) - fleet.LnGamma(n-f+1)
	return choose + fleet.LnGamma(f+a) + fleet.LnGamma(n-f+b) - fleet.LnGamma(n+a+b) + fleet.LnGamma(a+b) - fleet.LnGamma(a) - fleet.LnGamma(b)
}

// learnShare takes f new records among n, with weight w, into the share.
func (x *series) learnShare(f, n, mean, fade, slow, w float64) {
	f = min(f, n)
	x.count = fold(x.count, fade, w*f)
	x.exposure = fold(x.exposure, fade, w*n)
	spread := mean * (1 - mean)
	residual := f - n*mean
	excess := residual*residual - n*spread
	// One strange bin is not to teach that the identity is erratic.
	excess = min(excess, 9*(n*spread+n*n*spread*clusterPrior))
	x.excess = fold(x.excess, slow, w*excess)
	x.square = fold(x.square, slow, w*n*math.Max(n-1, 0)*spread)
}
