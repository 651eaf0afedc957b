package alerting

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// LinkTemplates are the URLs that alerts point to. In them {dedup_key},
// {campaign}, {dimension}, {identity}, {detector}, {measure}, {fact}, {kind},
// {runbook} (the fact, else campaign, else the dimension), {from} and {to} (the
// onset and the alert's time, RFC 3339) stand for what they name,
// percent-encoded. An empty template makes no link.
type LinkTemplates struct {
	Console, Runbook, Query string
}

// linkWords lists the words that may stand in braces.
var linkWords = []string{"dedup_key", "campaign", "dimension", "identity", "detector", "measure", "fact", "kind", "runbook", "from", "to"}

// CheckLink reports what is wrong with a template.
func CheckLink(template string) error {
	rest := template
	for {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(rest[open:], '}')
		if end < 0 {
			return fmt.Errorf("has a { without its }")
		}
		if word := rest[open+1 : open+end]; !slices.Contains(linkWords, word) {
			return fmt.Errorf("holds {%s}; want one of {%s}", Printable(word, maxValue), strings.Join(linkWords, "}, {"))
		}
		rest = rest[open+end+1:]
	}
	if _, ok := webURL(fillLink(template, &Alert{})); !ok {
		return fmt.Errorf("is no URL; want https://host/path, such as https://weir.example/episodes/{dedup_key}")
	}
	return nil
}

// Of returns the links of an alert.
func (t *LinkTemplates) Of(a *Alert) Links {
	return Links{Console: fillLink(t.Console, a), Runbook: fillLink(t.Runbook, a), Query: fillLink(t.Query, a)}
}

func fillLink(template string, a *Alert) string {
	if template == "" {
		return ""
	}
	runbook := a.Dimension
	switch {
	case a.Fact != "":
		runbook = string(a.Fact)
	case a.Kind == KindCampaign:
		runbook = string(KindCampaign)
	}
	values := map[string]string{
		"dedup_key": a.DedupKey, "campaign": a.Campaign, "dimension": a.Dimension, "identity": a.Identity, "detector": a.Detector,
		"measure": a.Measure, "fact": string(a.Fact), "kind": string(cmp.Or(a.Kind, Statistical)), "runbook": runbook,
		"from": a.Onset.Std().Format(time.RFC3339), "to": a.Time.Std().Format(time.RFC3339),
	}
	var pairs []string
	for _, word := range linkWords {
		// QueryEscape's "+" for a space means a space in a query only.
		pairs = append(pairs, "{"+word+"}", strings.ReplaceAll(url.QueryEscape(values[word]), "+", "%20"))
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// Preparer returns a function that makes an alert ready to be sent, for
// notify.Policy.Prepare: it returns a copy with the links of the templates, and
// with advice (see Complete), where the alert has none.
func Preparer(t LinkTemplates) func(a *Alert) *Alert {
	return func(a *Alert) *Alert {
		out := *a
		Complete(&out)
		links := t.Of(a)
		if out.Links.Console == "" {
			out.Links.Console = links.Console
		}
		if out.Links.Runbook == "" {
			out.Links.Runbook = links.Runbook
		}
		if out.Links.Query == "" {
			out.Links.Query = links.Query
		}
		return &out
	}
}
