package fieldmap

import (
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/textform"
	"github.com/weirhq/weir/event/timeform"
)

// TestDocs: docs/formats.md names every field, reason, note and key, and the
// field map it shows is one.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	words := append(FieldNames(), event.ActionNames()...)
	words = append(words, Names()...)
	for _, r := range event.Reasons() {
		words = append(words, r.String())
	}
	for _, n := range event.AllNotes() {
		words = append(words, n.String())
	}
	words = append(words, "when", "ignore", "fields", "equals", "not", "exists")
	words = append(append(words, topKeys...), sourceKeys...)
	words = append(append(words, textform.Names()...), timeform.Names()...)
	for _, w := range words {
		if !strings.Contains(doc, "`"+w+"`") && !strings.Contains(doc, "### "+w+"\n") {
			t.Errorf("docs/formats.md does not speak of %s", w)
		}
	}
	for _, name := range Names() {
		if _, err := os.Stat("../../docs/sources/" + name + ".md"); err != nil && name != "native" && name != "ocsf" {
			t.Errorf("the format %s has no page in docs/sources", name)
		}
	}
	_, rest, _ := strings.Cut(doc, "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/formats.md shows no field map")
	}
	f, err := Parse("docs/formats.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	got := decode(f.NewDecoder(), `{"kind":"view","at":1772356527,"user":{"id":7},"verb":"looked","session.id":"s","customers":[{"id":1}],"forwarded":"192.0.2.7, 10.0.0.1"}`)
	const want = `{"time":"2026-03-01T09:15:27.000Z","action":"read","actor":"7","session":"s","ip":"192.0.2.7","client":"crm","records":["1"]}`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
