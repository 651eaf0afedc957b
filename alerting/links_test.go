package alerting

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/fact"
)

func TestLinkTemplates(t *testing.T) {
	a := example()
	a.Identity = "a b/c&d=김"
	templates := LinkTemplates{
		Console: "https://weir.example/episodes/{dedup_key}",
		Runbook: "https://wiki.example/{runbook}",
		Query:   "https://logs.example/?q={dimension}:{identity}&from={from}&to={to}",
	}
	got := templates.Of(a)
	want := Links{
		Console: "https://weir.example/episodes/" + a.DedupKey,
		Runbook: "https://wiki.example/key",
		Query:   "https://logs.example/?q=key:a%20b%2Fc%26d%3D%EA%B9%80&from=2026-03-02T09%3A00%3A00Z&to=2026-03-03T15%3A00%3A00Z",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	a.Kind, a.Fact = KindFact, fact.RevokedKey
	if got := templates.Of(a).Runbook; got != "https://wiki.example/revoked_key" {
		t.Error(got)
	}
	a.Kind, a.Fact = KindCampaign, ""
	if got := templates.Of(a).Runbook; got != "https://wiki.example/campaign" {
		t.Error(got)
	}
	if got := (&LinkTemplates{}).Of(a); !got.IsZero() {
		t.Errorf("no templates make %+v", got)
	}
}

func TestCheckLink(t *testing.T) {
	for in, want := range map[string]string{
		"https://x.example/{dedup_key}": "", "https://x.example/": "",
		"https://x.example/{key}": "holds {key}; want one of {dedup_key}", "https://x.example/{dedup_key": "without its }",
		"x.example/{dedup_key}": "is no URL", "javascript:{dedup_key}": "is no URL",
	} {
		err := CheckLink(in)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

// The alert itself stays as it is, and what it says already is kept.
func TestPreparer(t *testing.T) {
	a := example()
	a.Links.Runbook = "https://own.example/"
	before := string(a.AppendJSON(nil))
	got := Preparer(LinkTemplates{Console: "https://weir.example/{dedup_key}", Runbook: "https://wiki.example/"})(a)
	if got.Links.Console != "https://weir.example/"+a.DedupKey || got.Links.Runbook != "https://own.example/" || len(got.Checks) != 3 {
		t.Errorf("prepared %+v", got)
	}
	if after := string(a.AppendJSON(nil)); after != before {
		t.Errorf("the alert was changed: %s", after)
	}
}
