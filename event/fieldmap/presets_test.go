package fieldmap

import (
	"testing"
)

// TestPresetsCompile: each format that comes with weir is a field map without faults.
func TestPresetsCompile(t *testing.T) {
	for _, name := range Names() {
		if f := load(t, name); f.Name() != name || f.About() == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
