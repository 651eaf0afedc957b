package house

import (
	"regexp"
	"testing"
)

// TestSoakReachesAll wants make soak to run every test with WEIR_SOAK: many tests have
// a long form and no name that says so, and a pattern would leave them out.
func TestSoakReachesAll(t *testing.T) {
	recipe := regexp.MustCompile(`(?m)^soak:.*\n((?:\t.*\n)+)`).FindSubmatch(read(t, "Makefile"))
	if recipe == nil {
		t.Fatal("the Makefile has no target soak")
	}
	if !regexp.MustCompile(`WEIR_SOAK=1 .*go test .* \./\.\.\.\n`).Match(recipe[1]) {
		t.Errorf("make soak does not run all packages with WEIR_SOAK=1:\n%s", recipe[1])
	}
	if left := regexp.MustCompile(`-(run|skip|short)\b`).Find(recipe[1]); left != nil {
		t.Errorf("make soak leaves tests out by %s", left)
	}
}
