package console

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/report"
)

// The report's page, its JSON and what `weir report` prints, as Markdown and as JSON, have
// the same numbers.
func TestReportsAgree(t *testing.T) {
	b := newBench(t, 300, access.Viewer)
	snapshot := b.Feed.current.Load().Snapshot
	from, err := report.ParseWeek("2026-W10", snapshot.Now().Std(), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	r := report.Of(snapshot, from)
	command, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if twin := b.get("/api/v1/report?week=2026-W10").Body.String(); !strings.HasPrefix(twin, strings.TrimSuffix(string(command), "}")+`,"before":`) {
		t.Errorf("the twin says\n%s\nand the command\n%s", twin, command)
	}
	var markdown strings.Builder
	if err := r.Print(&markdown, time.UTC); err != nil {
		t.Fatal(err)
	}
	page := b.get("/report?week=2026-W10").Body.String()
	plain := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")), " ")
	used := alerting.Decimal(r.Used)
	same := [][2]string{
		{fmt.Sprintf("- opened: %d, of them still open: %d\n", r.Opened, r.Open), fmt.Sprintf("Opened %d %d still open", r.Opened, r.Open)},
		{fmt.Sprintf("- sent to people: %d (%s)\n", r.Sent, strings.Join(r.Severities(), ", ")), fmt.Sprintf("Sent to people %d %s", r.Sent, strings.Join(r.Severities(), " "))},
		{fmt.Sprintf("- answered: %d of %d, median", r.Answered, r.Sent), fmt.Sprintf("Answered %d of %d median", r.Answered, r.Sent)},
		{"- statistical openings sent: " + used + " a day;", "Budget " + used + " a day"},
	}
	for by, rates := range r.Rates {
		for _, rate := range rates {
			numbers := []any{rate.Sent, rate.Judged, rate.Harmless}
			same = append(same, [2]string{fmt.Sprintf("| "+rate.Value+" | %d | %d | %d |", numbers...), fmt.Sprintf(kindWord(rate.Value)+" %d %d %d", numbers...)})
		}
		if len(rates) == 0 {
			t.Errorf("nothing by %s", by)
		}
	}
	for _, h := range r.HeldBack {
		same = append(same, [2]string{fmt.Sprintf("- %d messages: %s %s", h.Messages, h.Kind, h.Name), fmt.Sprintf("%s %s %d", h.Name, h.Reason, h.Messages)})
	}
	for _, s := range same {
		if !strings.Contains(markdown.String(), s[0]) {
			t.Errorf("the command does not say %q:\n%s", s[0], markdown.String())
		}
		if !strings.Contains(plain, s[1]) {
			t.Errorf("the page does not say %q:\n%s", s[1], plain)
		}
	}
}
