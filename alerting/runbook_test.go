package alerting

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/fact"
)

var rewrite = flag.Bool("rewrite", false, "write the runbooks of docs/alerts.md")

// runbooks writes what Complete says of every kind of alert, one heading for
// each {runbook} of a link.
func runbooks() string {
	var b strings.Builder
	section := func(anchor string, a *Alert) {
		Complete(a)
		fmt.Fprintf(&b, "### %s\n\n", anchor)
		if a.Kind == KindFact {
			fmt.Fprintf(&b, "The %s %s.\n\n", subjectOf(a.Fact), factPhrase(a.Fact))
		}
		for i, check := range a.Checks {
			fmt.Fprintf(&b, "%d. %s\n", i+1, check)
		}
		fmt.Fprintf(&b, "\nIt may be harmless: %s\n\n", strings.Join(a.Benign, " "))
	}
	for _, dimension := range []string{"user", "key", "network", "client", "endpoint"} {
		section(dimension, &Alert{Dimension: dimension, Measure: "distinct"})
	}
	section(string(KindCampaign), &Alert{Kind: KindCampaign})
	for _, f := range append(fact.Names(), fact.Own()...) {
		section(string(f), &Alert{Kind: KindFact, Fact: f})
	}
	b.WriteString("### What the measure adds\n\n| measure | it may be harmless | check |\n|---|---|---|\n")
	for _, measure := range Measures() {
		a := &Alert{Dimension: "user", Measure: measure}
		Complete(a)
		also := strings.Join(a.Benign[1:], " ")
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", measure, also, a.Checks[2])
	}
	return b.String()
}

func subjectOf(f fact.Name) string {
	switch f {
	case fact.UnissuedToken:
		return "identity"
	case fact.UnknownKey, fact.RetiredKey, fact.RevokedKey, fact.OverageKey, fact.KeyBackFromSleep:
		return "signing key"
	case fact.SourceSilent:
		return "source"
	case fact.RefusedVerdict:
		return "author"
	case fact.SettingsChanged:
		return "settings"
	}
	return "account"
}

// The runbooks that links lead to say what the messages say.
func TestRunbooks(t *testing.T) {
	const path, mark = "../docs/alerts.md", "<!-- from here on: go test ./alerting -run Runbooks -rewrite -->\n\n"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(doc), mark)
	if !found {
		t.Fatalf("%s does not say where the runbooks begin", path)
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(before+mark+runbooks()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if after != runbooks() {
		t.Errorf("the runbooks of %s are old: go test ./alerting -run Runbooks -rewrite", path)
	}
	for _, a := range []*Alert{{Dimension: "key"}, {Kind: KindCampaign}, {Kind: KindFact, Fact: fact.RevokedKey}} {
		_, anchor, _ := strings.Cut(fillLink("https://x.example/#{runbook}", a), "#")
		if !strings.Contains(after, "\n### "+anchor+"\n") && !strings.HasPrefix(after, "### "+anchor+"\n") {
			t.Errorf("a link leads to #%s, which is not there", anchor)
		}
	}
}
