// Package alertingtest holds alerts for tests: plain, full, of every kind, and
// those that are hardest to say (Korean, hostile, huge). What is said of them is
// held against golden files.
package alertingtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// Alert returns an alert such as weir.alerts carries.
func Alert() *alerting.Alert {
	const bin, hour = alerting.Time(1772546400000), 3600_000
	a := &alerting.Alert{
		Schema: alerting.Schema, DedupKey: alerting.DedupKey("key", "kid-7", int64(bin+hour)), Status: alerting.Open,
		Time: bin + hour, Onset: bin - 29*hour, Dimension: "key", Identity: "kid-7",
		Detector: "drift", Measure: "distinct", Severity: episode.High, Observed: 33700000, Expected: 9100.4,
		OnsetEarliest: bin - 30*hour, OnsetLatest: bin - 29*hour, Excess: alerting.Bounds{Records: 33690900, Low: 33090000, High: 34290900},
		Exposed: alerting.Exposed{Records: 33700000, Low: 33100000, High: 34300000, Since: bin - 29*hour},
		Evidence: alerting.Evidence{
			Bin: bin, BinWidth: "1h0m0s", Until: bin + hour, Group: "volume", LogValue: 19.285, Threshold: 15.2, Budget: 2,
			Measures: []alerting.MeasureEvidence{{
				Measure: "distinct", From: bin - 14*hour, LogValue: 19.978, Observed: 1240, Low: 1216, High: 1264, Expected: 210.1,
				Mode: 1, Dispersion: 2.5, Ratio: 6.993, Allowed: 3.214,
				Rates: []alerting.RateEvidence{
					{Rate: 1.5, LogValue: 8.381}, {Rate: 2, LogValue: 12.817}, {Rate: 3, LogValue: 19.266}, {Rate: 5, LogValue: 21.446}, {Rate: 10, LogValue: 18.193},
				},
			}},
		},
	}
	a.Summary = alerting.Summarize(a, time.UTC)
	return a
}

// Full returns Alert with everything that helps to decide.
func Full() *alerting.Alert {
	a := Alert()
	a.Kind = alerting.Statistical
	a.ShareNew, a.MemoryDays = new(0.97), 30
	a.FirstSeen, a.LastSeen = a.Onset-400*24*3600_000, a.Time-60_000
	a.Top = alerting.Top{
		Since:     a.Onset,
		Endpoints: []alerting.Share{{Value: "GET /customers/{id}", Share: 0.91}, {Value: "GET /orders/{id}", Share: 0.09}},
		Networks:  []alerting.Share{{Value: "203.0.113.0/24", Share: 0.4}, {Value: "198.51.100.0/24", Share: 0.35}},
		Clients:   []alerting.Share{{Value: "shop-android/9.4.0", Share: 1}},
	}
	a.Links = alerting.Links{
		Console: "https://weir.example/episodes/" + a.DedupKey,
		Runbook: "https://wiki.example/runbooks/key?by=distinct&from=weir",
		Query:   "https://logs.example/search?q=key_id:kid-7",
	}
	a.Confidence = episode.Likely
	alerting.Complete(a)
	return a
}

// Fact returns the alert of a fact.
func Fact() *alerting.Alert {
	a := Full()
	a.Kind, a.Fact, a.Measure, a.Detector = alerting.KindFact, fact.RetiredKey, "", "facts"
	a.Detail = map[string]string{"retired_at": "2026-01-02T00:00:00.000Z", "successor": "kid-8"}
	a.Observed, a.Expected, a.Severity = 0, 0, episode.Critical
	a.Through = alerting.Bounds{Records: a.Exposed.Records, Low: a.Exposed.Low, High: a.Exposed.High}
	a.Excess, a.OnsetEarliest, a.OnsetLatest = a.Through, a.Onset, a.Onset
	a.Evidence.Group, a.Evidence.Until, a.Evidence.Measures = "", 0, nil
	a.Confidence, a.Benign, a.Checks = episode.Certain, nil, nil
	alerting.Complete(a)
	a.Summary = alerting.Summarize(a, time.UTC)
	return a
}

// Campaign returns the alert of a campaign.
func Campaign() *alerting.Alert {
	a := Full()
	a.Kind, a.Dimension, a.Identity = alerting.KindCampaign, alerting.CampaignDimension, "key kid-7"
	a.DedupKey = alerting.DedupKey(a.Dimension, a.Identity, int64(a.Time))
	a.Observed, a.Expected = 0, 0
	a.Members = &alerting.Members{Count: 10_000, Top: []alerting.Member{
		{DedupKey: alerting.DedupKey("user", "kim", 1), Dimension: "user", Identity: "kim", Severity: episode.High, Records: 4_120},
		{DedupKey: alerting.DedupKey("network", "203.0.113.0/24", 1), Dimension: "network", Identity: "203.0.113.0/24", Severity: episode.Medium, Records: 812},
	}}
	a.Evidence.Group, a.Evidence.Until, a.Evidence.Measures = "", 0, nil
	a.Severity, a.Benign, a.Checks = episode.Critical, nil, nil
	alerting.Complete(a)
	a.Summary = alerting.Summarize(a, time.UTC)
	return a
}

// Many returns the alert of a campaign that names n members for the first time, each by
// NameOf and a filler behind it.
func Many(n int, filler string) *alerting.Alert {
	a := Campaign()
	a.Members.Top, a.Members.Count = nil, int64(n)
	for i := range n {
		m := alerting.Member{DedupKey: alerting.DedupKey("client", NameOf(i), 1), Dimension: "client", Identity: NameOf(i) + filler, Severity: episode.High, Records: 14}
		if i < alerting.MaxTop {
			a.Members.Top = append(a.Members.Top, m)
		} else {
			a.Members.Also = append(a.Members.Also, m)
		}
	}
	return a
}

// NameOf is how the name of the i-th member of Many begins.
func NameOf(i int) string { return fmt.Sprintf("m%04dz", i) }

// Korean returns an alert whose identities are Korean.
func Korean() *alerting.Alert {
	a := Full()
	a.Dimension, a.Identity = "user", "김민지 (고객지원 2팀)"
	a.Evidence.Measures[0].From = a.Time - 24*3600_000 // midnight in Seoul
	a.DedupKey = alerting.DedupKey(a.Dimension, a.Identity, int64(a.Time))
	a.Top = alerting.Top{
		Endpoints: []alerting.Share{{Value: "GET /고객/{id}/주소", Share: 0.88}},
		Clients:   []alerting.Share{{Value: "쿠폰-앱/9.4.0", Share: 0.7}},
	}
	a.Benign, a.Checks = nil, nil
	alerting.Complete(a)
	seoul := time.FixedZone("Asia/Seoul", 9*3600)
	a.Summary = alerting.Summarize(a, seoul)
	return a
}

// Hostile returns an alert whose texts attack the receiver's markup and the
// reader's screen.
func Hostile() *alerting.Alert {
	a := Full()
	evil := "x|y=z\\\n\x1b[2J</script><!channel> <https://thief.example|Acknowledge> *b* `c` \"q\" ]\u202e\xff"
	a.Dimension, a.Identity = "client", evil
	a.DedupKey = alerting.DedupKey(a.Dimension, a.Identity, int64(a.Time))
	a.Top.Endpoints[0].Value = evil
	a.Benign, a.Checks = []string{evil}, []string{evil}
	a.Links.Console = "https://weir.example/e?q=<" + evil + ">"
	a.Links.Query = "javascript:alert(1)"
	a.Summary = alerting.Summarize(a, time.UTC)
	return a
}

// Huge returns an alert in which everything is as long as it can be, and
// longer.
func Huge() *alerting.Alert { return swell("고객기록유출𐐷") }

// Long is Huge in ASCII, of which most characters fit into a limit in bytes.
func Long() *alerting.Alert { return swell("customer/records ") }

func swell(word string) *alerting.Alert {
	a := Campaign()
	long := strings.Repeat(word, 2_000)
	a.Identity, a.Summary, a.Detector = long, long, long
	a.Members.Top = nil
	for range 50 {
		a.Members.Top = append(a.Members.Top, alerting.Member{DedupKey: a.DedupKey, Dimension: "user", Identity: long, Severity: episode.High, Records: 1 << 60})
		a.Benign, a.Checks = append(a.Benign, long), append(a.Checks, long)
		s := alerting.Share{Value: long, Share: 0.5}
		a.Top.Endpoints, a.Top.Networks, a.Top.Clients = append(a.Top.Endpoints, s), append(a.Top.Networks, s), append(a.Top.Clients, s)
		a.Top.Keys, a.Top.Users = append(a.Top.Keys, s), append(a.Top.Users, s)
	}
	a.Detail = map[string]string{long: long}
	a.Links = alerting.Links{Console: "https://weir.example/" + long, Runbook: "https://wiki.example/" + long, Query: "https://logs.example/" + long}
	for range 2_000 {
		a.Evidence.Measures = append(a.Evidence.Measures, alerting.MeasureEvidence{Measure: "distinct", Observed: 1, Rates: []alerting.RateEvidence{{Rate: 5, LogValue: 1}}})
	}
	return a
}

// Alerts are the alerts that every destination must be able to say, by name.
func Alerts() map[string]*alerting.Alert {
	closed := Full()
	closed.Status = alerting.Close
	closed.Summary = alerting.Summarize(closed, time.UTC)
	return map[string]*alerting.Alert{
		"bare": Alert(), "full": Full(), "fact": Fact(), "campaign": Campaign(), "close": closed,
		"korean": Korean(), "hostile": Hostile(), "huge": Huge(), "long": Long(),
	}
}
