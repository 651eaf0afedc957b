package correlate

import (
	"slices"
	"testing"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/stream"
)

// The hour that is said to have tipped it shows more than the usual, though the evidence
// may be stronger in a later one, in which nothing was done.
func TestWhatTippedItShows(t *testing.T) {
	d := newDesk(t)
	d.eve()
	idle := d.candidate("user", "eve", 90, 20_000)
	idle.Measures[0].Observed = 0
	d.next([]stream.Candidate{idle}, nil, nil)
	a := d.latest("user", "eve")
	if a.Exposed.Records != 20_000 {
		t.Fatalf("nobody is alerted of what was taken since: %s", a.Summary)
	}
	if m := a.Evidence.Measures; len(m) == 0 || m[0].Observed != 200 {
		t.Errorf("it stands out by %+v", m)
	}
}

// What is usual in a time is no less than in the part of it that was told before, though
// the hours are known better by now; so is what was counted, though the estimate of a sketch
// falls; and what is beyond goes with both.
func TestUsualGrowsWithTheTime(t *testing.T) {
	was := []stream.Course{{Measure: "distinct", Observed: 113, Expected: 11.6, Excess: episode.Excess{Records: 101, Low: 89, High: 113}}, {Measure: "rows", Expected: 2}}
	now := []stream.Course{
		{Measure: "distinct", Observed: 114, Expected: 8.5, Excess: episode.Excess{Records: 106, Low: 2, High: 114}},
		{Measure: "rows", Observed: 9, Expected: 3}, {Measure: "first_touch", Observed: 112, Expected: 1},
	}
	was = append(was, stream.Course{Measure: "new_share", Observed: 261, Expected: 128, Excess: episode.Excess{Records: 133, Low: 2, High: 264}})
	now = append(now, stream.Course{Measure: "new_share", Observed: 260, Expected: 129, Excess: episode.Excess{Records: 131, Low: 0, High: 264}})
	got := prolonged(was, now)
	want := []stream.Course{{Measure: "distinct", Observed: 114, Expected: 11.6, Excess: episode.Excess{Records: 103, Low: 0, High: 111}}, now[1], now[2],
		{Measure: "new_share", Observed: 261, Expected: 129, Excess: episode.Excess{Records: 132, Low: 1, High: 265}}}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// What came through what a campaign shares is told of it where it is all of it: what is
// followed anew from a later time on is less than what was told.
func TestExposedOfACampaignNeverFalls(t *testing.T) {
	const began, day = int64(1_772_442_000_000), int64(24 * 3600_000)
	sum := campaign.Summary{Onset: began, Totals: campaign.Totals{{Dimension: "user", Count: 7, Records: 2750, Low: 1029, High: 2768}}}
	for _, c := range []struct {
		name          string
		since         int64
		records, want int64
		wantSince     int64
	}{
		{"all of it", began - 3600_000, 3036, 3036, began - 3600_000},
		{"followed anew", began + 4*day, 359, 2750, began},
		{"followed anew, and much", began + 4*day, 9000, 2750, began},
	} {
		r := &episodeRecord{campaign: &campaignRecord{cause: &campaign.Cause{}}}
		r.onset = began + day
		r.describe(&sum)
		r.campaign.through = &episode.Exposed{Records: c.records, Low: c.records, High: c.records, Since: c.since}
		r.describe(&sum)
		if r.exposed.Records != c.want || r.exposed.Since != c.wantSince {
			t.Errorf("%s: %+v", c.name, r.exposed)
		}
	}
}
