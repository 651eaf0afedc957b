package alerting

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"pgregory.net/rapid"
)

// drawContext fills the fields that may be left out.
func drawContext(t *rapid.T, a *Alert) {
	if rapid.Bool().Draw(t, "bare") {
		return
	}
	text := rapid.StringN(1, 20, -1)
	texts := rapid.SliceOfN(text, 0, 3)
	share := rapid.Float64Range(0, 1)
	shares := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Share {
		return Share{Value: text.Draw(t, "value"), Share: share.Draw(t, "share")}
	}), 0, MaxTop)
	key := DedupKey(a.Dimension, a.Identity, 1)
	a.Kind = rapid.SampledFrom([]Kind{"", Statistical, KindFact, KindCampaign}).Draw(t, "kind")
	switch a.Kind {
	case KindFact:
		a.Fact, a.Measure = fact.RetiredKey, ""
		a.Detail = rapid.MapOfN(text, rapid.String(), 0, 3).Draw(t, "detail")
		for _, f := range rapid.SliceOfN(text, 0, 2).Draw(t, "also known") {
			a.AlsoKnown = append(a.AlsoKnown, fact.Name(f))
		}
	case KindCampaign:
		a.Members = &Members{Count: rapid.Int64Range(0, 1<<40).Draw(t, "count"), Top: []Member{{key, "user", "kim", episode.High, 5}}}
	default:
		a.Campaign = key
	}
	a.Confidence = rapid.SampledFrom([]episode.Confidence{"", episode.Possible, episode.Likely, episode.VeryLikely, episode.Certain}).Draw(t, "confidence")
	if rapid.Bool().Draw(t, "new") {
		a.ShareNew, a.MemoryDays = new(share.Draw(t, "share")), rapid.Int64Range(0, 180).Draw(t, "days")
	}
	a.FirstSeen, a.LastSeen = Time(rapid.Int64Range(0, 4e12).Draw(t, "first")), Time(rapid.Int64Range(0, 4e12).Draw(t, "last"))
	a.Shown = Time(rapid.Int64Range(0, 4e12).Draw(t, "shown"))
	a.Returns = rapid.Int64Range(0, 1<<40).Draw(t, "returns")
	a.Top = Top{Time(rapid.Int64Range(0, 4e12).Draw(t, "since")), shares.Draw(t, "e"), shares.Draw(t, "n"), shares.Draw(t, "c"), shares.Draw(t, "k"), shares.Draw(t, "u"), shares.Draw(t, "names")}
	if rapid.Bool().Draw(t, "person") {
		a.Person = &Person{Manager: "bo", Criticality: rapid.SampledFrom([]string{"", "high", "critical"}).Draw(t, "criticality")}
	}
	a.Benign, a.Checks = texts.Draw(t, "benign"), texts.Draw(t, "checks")
	a.Links = Links{Console: rapid.SampledFrom([]string{"", "https://weir.example/x"}).Draw(t, "console"), Query: "https://log.example/?q=<x>&y"}
}

// contextual is example with everything that helps to decide.
func contextual() *Alert {
	a := example()
	a.Kind, a.Confidence = Statistical, episode.VeryLikely
	a.Campaign = DedupKey(CampaignDimension, "key kid-7", 1772550000000)
	a.ShareNew, a.MemoryDays = new(0.97), 30
	a.FirstSeen, a.LastSeen = a.Onset-400*24*3600_000, a.Time-60_000
	a.Returns = 30
	a.Person = &Person{Manager: "bo", Slack: "U024BE7LH", Criticality: "critical", Group: "dba"}
	a.Top = Top{
		Endpoints: []Share{{"GET /customers/{id}", 0.91}, {"GET /orders/{id}", 0.09}},
		Networks:  []Share{{"203.0.113.0/24", 0.4}},
		Names:     []Share{{"kim@example.com", 0.5}},
	}
	a.Benign = []string{"A key rotation moves load."}
	a.Checks = []string{"Ask who holds the key."}
	a.Links = Links{Console: "https://weir.example/episodes/x", Query: "https://log.example/?q=kid-7"}
	return a
}

func TestContextJSON(t *testing.T) {
	const want = `"exposed":{"records":33700000,"low":33100000,"high":34300000,"since":"2026-03-02T09:00:00.000Z"},` +
		`"share_new":0.97,"memory_days":30,"first_seen":"2025-01-26T09:00:00.000Z","last_seen":"2026-03-03T14:59:00.000Z","returns":30,` +
		`"person":{"manager":"bo","slack":"U024BE7LH","criticality":"critical","group":"dba"},` +
		`"top":{"endpoints":[{"value":"GET /customers/{id}","share":0.91},{"value":"GET /orders/{id}","share":0.09}],"networks":[{"value":"203.0.113.0/24","share":0.4}],"names":[{"value":"kim@example.com","share":0.5}]},` +
		`"benign":["A key rotation moves load."],"checks":["Ask who holds the key."],` +
		`"links":{"console":"https://weir.example/episodes/x","query":"https://log.example/?q=kid-7"},"evidence":`
	a := contextual()
	got := string(a.AppendJSON(nil))
	if !strings.Contains(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := validate(loadSchema(t), []byte(got)); err != nil {
		t.Error(err)
	}
}

func TestFactAndCampaignJSON(t *testing.T) {
	known := example()
	known.Kind, known.Fact, known.Measure, known.Confidence = KindFact, fact.RetiredKey, "", episode.Certain
	known.Detail = map[string]string{"successor": "kid-8", "retired_at": "2026-01-02"}
	if got, want := string(known.AppendJSON(nil)), `"kind":"fact","dimension":"key","identity":"kid-7","detector":"drift","measure":"","fact":"retired_key",`+
		`"detail":{"retired_at":"2026-01-02","successor":"kid-8"},"severity":"high","confidence":"certain"`; !strings.Contains(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	campaign := example()
	campaign.Kind, campaign.Dimension, campaign.Identity = KindCampaign, CampaignDimension, "key kid-7"
	campaign.Members = &Members{Count: 10_000, Top: []Member{{"weir-0123456789abcdef", "user", "kim", episode.High, 40}}}
	if got, want := string(campaign.AppendJSON(nil)), `"members":{"count":10000,"top":[{"dedup_key":"weir-0123456789abcdef","dimension":"user","identity":"kim","severity":"high","records":40}]}`; !strings.Contains(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s := loadSchema(t)
	for _, a := range []*Alert{known, campaign} {
		if err := validate(s, a.AppendJSON(nil)); err != nil {
			t.Error(err)
		}
		if _, err := ParseAlert(a.AppendJSON(nil)); err != nil {
			t.Error(err)
		}
	}
}
