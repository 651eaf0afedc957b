package mapping

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/progress"
)

// Of the native form, the keys that are not read are reported, the most frequent
// first, and in bounded number; of a field map, which chooses, they are not.
func TestUnreadKeys(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `{"time":"2026-03-02T09:00:00Z","actor":"ana","key%d":1,"customer":"c\u001b"}`+"\n", i)
	}
	dir := t.TempDir()
	sample, format := filepath.Join(dir, "s"), filepath.Join(dir, "m.yaml")
	for name, text := range map[string]string{sample: b.String(), format: "name: m\nbase: native\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Map(t.Context(), "native", []string{sample}, 0, &progress.Line{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Unread) != mostUnread || r.Unread[0].Name != "customer" || r.Unread[0].Events != 100 {
		t.Errorf("got %+v", r.Unread)
	}
	var out strings.Builder
	if err := r.WriteTable(&out); err != nil || !strings.Contains(out.String(), "KEY NOT READ") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "key0") || r.Hint != "" {
		t.Errorf("hint %q\n%s", r.Hint, out.String())
	}
	if err := os.WriteFile(sample, []byte(`{"time":"2026-03-02T09:00:00Z","who":"ana"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := Map(t.Context(), "native", []string{sample}, 0, &progress.Line{}); err != nil || !strings.Contains(r.Hint, "no event could be read as native (1 with nothing but a time)") {
		t.Errorf("only a time: %v, hint %q", err, r.Hint)
	}
	if r, err := Map(t.Context(), format, []string{sample}, 0, &progress.Line{}); err != nil || len(r.Unread) > 0 {
		t.Errorf("a field map: %v, %+v", err, r.Unread)
	}
}
