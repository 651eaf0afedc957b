package sketches

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/forms.txt anew; only with a new codecVersion")

// goldenForms are the binary forms that testdata/forms.txt pins: a change of
// any of them makes state in Kafka unreadable, and so needs a new version.
func goldenForms() (names []string, forms [][]byte) {
	add := func(name string, form []byte) {
		names, forms = append(names, name), append(forms, form)
	}
	list := windowOf(StatePrecision, []touch{{1, day0}, {2, day0 + 3}, {3, day0 + 43_000}, {4, 0}})
	tick := New(PartialPrecision)
	state := New(StatePrecision)
	for i := range uint64(1300) {
		tick.Insert(mix(i), day0+uint32(i%5))
		state.Insert(mix(i*3), day0+uint32(i*33))
	}
	clock := state.Clone()
	clock.Insert(mix(1<<40), day0+1_000_000)
	empty := New(StatePrecision)
	var exact, fine, mixed Exposure
	exact.AddWindow(&list, day0)
	fine.AddWindow(&tick, 0)
	mixed.AddWindow(&list, 0)
	mixed.AddWindow(&state, day0+30_000)
	add("empty window", empty.AppendBinary(nil))
	add("list of four, one with a wrong clock", list.AppendBinary(nil))
	add("tick of 1,300", tick.AppendBinary(nil))
	add("state of 1,300 over 30 days", state.AppendBinary(nil))
	add("the same and a wrong clock", clock.AppendBinary(nil))
	add("exact exposure", exact.AppendBinary(nil))
	add("exposure of a tick", fine.AppendBinary(nil))
	add("exposure of a list and a state", mixed.AppendBinary(nil))
	return names, forms
}

func TestGoldenForms(t *testing.T) {
	const path = "testdata/forms.txt"
	names, forms := goldenForms()
	var out strings.Builder
	for i, name := range names {
		fmt.Fprintf(&out, "%s: %d bytes\n", name, len(forms[i]))
		for line := range slices.Chunk(forms[i], 48) {
			fmt.Fprintf(&out, "\t%s\n", hex.EncodeToString(line))
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("a binary form changed: old state can no longer be read. Restore it, or raise codecVersion and run with -update")
	}
	for i, name := range names {
		var again []byte
		switch {
		case strings.Contains(name, "exposure"):
			x, _, err := DecodeExposure(forms[i])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			again = x.AppendBinary(nil)
		default:
			w, _, err := DecodeWindow(forms[i])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			again = w.AppendBinary(nil)
		}
		if !bytes.Equal(again, forms[i]) {
			t.Errorf("%s: decoded and encoded, it is another form", name)
		}
	}
}
