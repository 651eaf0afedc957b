package detect

import (
	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
)

// closeBin ends a bin for all identities that were active in it or are watched.
func (d *Task) closeBin(tick, bin int64, params *score.Parameters) {
	if d.query != nil && d.query.bin == bin {
		d.answer(params)
	}
	var sums fleet.Sums
	var traits campaign.TraitSums
	for _, id := range d.bins.end(bin) {
		if tick > id.saved {
			d.closeIdentity(id, tick, bin, params, &sums, &traits)
		} else {
			id.watched = d.cfg.Engine.Hot(&id.state, id.dimension(), params) // a restore: the state has it already
		}
		if id.watched {
			d.bins.watch(id)
		}
	}
	if tick <= d.reported || sums.Empty() {
		return
	}
	b := stream.BinSums{Bin: bin, Sums: sums.AppendBinary(nil)}
	if !traits.Empty() {
		b.Traits = traits.AppendBinary(nil)
	}
	d.report.Bins = append(d.report.Bins, b)
}

func (d *Task) closeIdentity(id *identity, tick, bin int64, params *score.Parameters, sums *fleet.Sums, traits *campaign.TraitSums) {
	var counts score.Counts
	active := id.open && id.bin == bin
	if active {
		counts = d.counts(id)
		id.counted(&counts)
	}
	var ev score.Evidence
	var sample score.Sample
	if active && d.openEpisode(id, bin) {
		d.cfg.Engine.CloseExplained(&id.state, id.dimension(), bin, &counts, params, &ev, &sample)
	} else {
		d.cfg.Engine.Close(&id.state, id.dimension(), bin, &counts, params, &ev, &sample)
	}
	sums.Add(id.dimension(), &sample)
	if active {
		d.confirmGroup(id, sums)
	}
	id.watched = d.cfg.Engine.Hot(&id.state, id.dimension(), params)
	if id.followed != nil {
		id.followed.past.add(leakedOf(&counts))
	}
	if active && d.person(id.dimension()) && id.tally.events > 0 {
		traits.Add(id.member(&ev, &counts, len(d.cfg.Dimensions)))
	}
	id.open = false
	if ev.Explained {
		d.candidate(id, tick, bin, &ev, &score.Counts{}, params)
	}
	id.tally = nil
	d.snapshots.touch(id, tick)
}

// member tells of the evidence of an identity whose bin has ended: what it says over time,
// or how rare the bin is in this fleet, which is not held to what the model says. The
// model knows little of who is new; that ten of such people do what hardly one of
// thousands has done says much.
func (id *identity) member(ev *score.Evidence, counts *score.Counts, dimensions int) *campaign.ActiveIdentity {
	m := &campaign.ActiveIdentity{
		Dimension: id.dimension(), Identity: id.name(), Log: max(ev.Log, score.Calibrated(ev.Surprise)), Observed: counts[score.Distinct],
	}
	for i := range id.tally.traits {
		if t := id.tally.traits[i].Trait(); t.Dimension < dimensions { // not a name, which is one person's
			m.Traits = append(m.Traits, t)
		}
	}
	return m
}
