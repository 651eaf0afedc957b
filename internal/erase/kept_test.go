package erase

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/stream/kafka/topics"
)

// The table of how long names are kept has every topic of weir's, and says of it what its
// settings do: how many days, that the command deletes what is old, or that Kafka compacts.
func TestHowLongNamesAreKept(t *testing.T) {
	page, err := os.ReadFile("../../docs/console.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "**How long names are kept**")
	table, after, _ := strings.Cut(table, "\n\nKafka compacts")
	says := map[string]string{}
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			for name := range strings.SplitSeq(cells[1], ",") {
				says[strings.Trim(name, " `")] = cells[2] + cells[3]
			}
		}
	}
	names := topics.Named("weir.")
	for _, s := range names.Specs(1) {
		want := ""
		switch days := s.Configs["retention.ms"]; {
		case days == "-1":
			want = "until `weir erase --before`"
		case days != "":
			var ms int64
			if _, err := fmt.Sscan(days, &ms); err != nil {
				t.Fatal(err)
			}
			want = fmt.Sprintf("%d days", ms/(24*3600*1000))
		case s.Configs["max.compaction.lag.ms"] != "604800000":
			t.Errorf("%s is compacted without a bound", s.Name)
		case s.Name != names.Parameters && s.Name != names.Tokens: // these have names of nobody
			want = "Kafka has compacted the topic"
		}
		if text, ok := says[s.Name]; !ok || !strings.Contains(text, want) {
			t.Errorf("of %s the page says %q, want it to say %q", s.Name, text, want)
		}
	}
	if !strings.Contains(after, "within 7 days (`max.compaction.lag.ms`)") {
		t.Error("the page does not say how soon Kafka compacts")
	}
	for _, topic := range order(names) {
		if want := "until `weir erase --before`"; !strings.Contains(says[topic], want) {
			t.Errorf("of %s, from which the command deletes, the page says %q", topic, says[topic])
		}
	}
}
