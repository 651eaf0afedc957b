// Package consoletest makes pictures of fleets that do not exist, for tests of
// the console: any number of episodes, of every kind and state. It also asks for pages.
package consoletest

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/stream/correlate"
)

const (
	minute = alerting.Time(60_000)
	hour   = 60 * minute
)

// Now is the event time of the pictures.
const Now = alerting.Time(1772578800000) // Tue 3 Mar 2026 23:00 UTC

// Fold returns a fold with so many episodes, which takes in more.
func Fold(n int) *model.Fold {
	f := model.NewFold()
	for i := range n {
		Episode(f, i)
	}
	f.Judged(Now)
	return f
}

// Episode adds the i-th episode to a fold: its messages, and what people said.
func Episode(f *model.Fold, i int) {
	a := alertOf(i)
	switch {
	case i%7 == 5: // expected by the configuration
		f.Suppressed(&correlate.Suppressed{Alert: *a, By: correlate.SuppressedBy{
			Kind: correlate.ByConfig, Name: "nightly-export", Owner: "data-platform", Reason: "the export at night, CHG-17", Expires: Now + 30*24*hour,
		}})
		return
	case i%7 == 6 && i > 10: // over
		f.Alert(a)
		end := *a
		end.Status, end.Time = alerting.Close, a.Time+3*hour
		end.Summary = alerting.Summarize(&end, time.UTC)
		f.Alert(&end)
	default:
		f.Alert(a)
		grow(f, a, i%4)
		week(f, a)
	}
	verdicts(f, a.DedupKey, i)
}

// week adds hours in which the identity of an alert stood out.
func week(f *model.Fold, a *alerting.Alert) {
	f.Peers(map[model.Group]model.Level{{Dimension: a.Dimension}: {Distinct: 210, FirstTouch: 20}})
	for day := alerting.Time(0); day < 3; day++ {
		for n := alerting.Time(0); n < 5; n++ {
			start := a.Evidence.Bin - a.Evidence.Bin%hour - day*24*hour - n*hour
			distinct := 20 * float32(1+(day*7+n*3)%9)
			count := func(times float32) model.Bin {
				return model.Bin{
					Start: start, Distinct: model.Measured{Counted: times * distinct, Usual: times * 25, Spread: times * 8},
					FirstTouch: model.Measured{Counted: times * distinct / 2, Usual: times * 2, Spread: times}, Rows: model.Measured{Counted: 9 * times * distinct, Usual: times * 90, Spread: times * 20},
				}
			}
			of, whole := count(1), count(5)
			whole.Start -= whole.Start % (24 * hour)
			f.Counted(a.Dimension, a.Identity, &of, &whole)
		}
	}
}

// verdicts adds what people said of an episode.
func verdicts(f *model.Fold, key string, i int) {
	v := correlate.Verdict{ID: fmt.Sprint("v", i), DedupKey: key, Time: Now - hour, Author: "ana", Reason: "INC-4711, with the team"}
	switch i % 5 {
	case 2:
		v.Kind = correlate.Acknowledged
	case 4:
		v.Kind, v.Reason = correlate.Confirmed, "tokens forged with a stolen key"
	default:
		return
	}
	f.Verdict(&v)
}

// grow adds messages that say how the exposure went on.
func grow(f *model.Fold, a *alerting.Alert, times int) {
	for n := 1; n <= times; n++ {
		m := *a
		m.Status, m.Time = alerting.Update, a.Time+alerting.Time(n)*2*hour
		m.Evidence.Bin, m.Evidence.Until = m.Time-hour, m.Time
		m.Observed = a.Observed * float64(1+n)
		m.Excess.Records, m.Excess.Low, m.Excess.High = a.Excess.Records*int64(1+n), a.Excess.Low*int64(1+n), a.Excess.High*int64(1+n)
		m.Exposed.Records, m.Exposed.Low, m.Exposed.High = a.Exposed.Records*int64(1+n), a.Exposed.Low*int64(1+n), a.Exposed.High*int64(1+n)
		m.Evidence.Measures = []alerting.MeasureEvidence{}
		for _, e := range a.Evidence.Measures {
			e.LogValue *= 1 + float64(n)/2
			m.Evidence.Measures = append(m.Evidence.Measures, e)
		}
		m.Summary = alerting.Summarize(&m, time.UTC)
		f.Alert(&m)
	}
}

// alertOf returns the first alert of the i-th episode.
func alertOf(i int) *alerting.Alert {
	switch i % 40 {
	case 1:
		return placed(alertingtest.Fact(), "key", fmt.Sprint("kid-", i), i)
	case 3:
		a := placed(alertingtest.Campaign(), alerting.CampaignDimension, fmt.Sprint("network 203.0.", i%250, ".0/24"), i)
		a.Exposed.Records, a.Exposed.Low, a.Exposed.High = 18_400, 4_120, 18_400
		a.Excess = alerting.Bounds{Records: 17_100, Low: 3_900, High: 17_100}
		a.Summary = alerting.Summarize(a, time.UTC)
		return a
	case 13:
		return placed(alertingtest.Korean(), "user", fmt.Sprint("김민지 (고객지원 ", i, "팀)"), i)
	case 17:
		return placed(alertingtest.Hostile(), "client", alertingtest.Hostile().Identity+fmt.Sprint(i), i)
	}
	a := alertingtest.Full()
	dimension := []string{"user", "network", "client", "key", "endpoint"}[i%5]
	name := map[string]string{
		"user": "agent-%d@corp.example", "network": "198.51.%d.0/24", "client": "shop-android/9.%d", "key": "kid-%d", "endpoint": "GET /customers/{id}/v%d",
	}[dimension]
	a.Measure = []string{"distinct", "first_touch", "rows"}[i%3]
	records := int64(40 + (i*7919)%20_000)
	a.Exposed.Records, a.Exposed.Low, a.Exposed.High = records, records*97/100, records*103/100
	a.Observed, a.Expected = float64(records), float64(records/int64(2+i%20))
	usual := int64(a.Expected)
	a.Excess = alerting.Bounds{Records: records - usual, Low: a.Exposed.Low - usual, High: a.Exposed.High - usual}
	a.Severity = []episode.Severity{episode.Low, episode.Medium, episode.Medium, episode.High}[i%4]
	a.Confidence = []episode.Confidence{episode.Possible, episode.Likely, episode.VeryLikely}[i%3]
	a.Evidence.Measures = []alerting.MeasureEvidence{
		{Measure: a.Measure, LogValue: 14.2, Observed: a.Observed, Low: a.Observed, High: a.Observed, Expected: a.Expected},
		{Measure: "off_hours", LogValue: 4.1, Observed: 30, Low: 30, High: 30, Expected: 2},
		{Measure: "distinct_in_bin", LogValue: 1.3, Observed: 4, Low: 4, High: 4, Expected: 1},
	}
	return placed(a, dimension, fmt.Sprintf(name, i%250+i/250), i)
}

// placed gives an alert an identity and a time within the last days.
func placed(a *alerting.Alert, dimension, name string, i int) *alerting.Alert {
	at := Now - 9*hour - alerting.Time(i%200)*90*minute
	at -= at % (5 * minute)
	shift := at - a.Time
	a.Dimension, a.Identity, a.Time = dimension, name, at
	a.Onset += shift
	if a.Onset < at-30*hour {
		a.Onset = at - 30*hour
	}
	a.OnsetEarliest, a.OnsetLatest = a.Onset-hour, a.Onset
	a.Exposed.Since, a.Evidence.Bin, a.Evidence.Until = a.Onset, at-hour, at
	if dimension == "user" {
		a.Person = &alerting.Person{Manager: fmt.Sprint("lead-", i), ManagerSlack: fmt.Sprint("U0LEAD", i), Group: "support"}
		a.Top.Names = []alerting.Share{{Value: fmt.Sprint("desk-", i), Share: 0.4}}
	}
	if a.Kind == alerting.Statistical {
		a.OnsetEarliest, a.OnsetLatest = a.Onset-6*hour, a.Onset+3*hour
	}
	a.FirstSeen, a.LastSeen = at-200*24*hour, at-minute
	a.DedupKey = alerting.DedupKey(dimension, name, int64(at)+int64(i))
	a.Benign, a.Checks = nil, nil
	if a.Fact == "" || a.Fact == fact.RetiredKey {
		alerting.Complete(a)
	}
	a.Summary = alerting.Summarize(a, time.UTC)
	return a
}
