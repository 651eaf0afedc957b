package alerting

import (
	"testing"
)

func TestDedupKey(t *testing.T) {
	// The form is part of the contract with receivers: these never change.
	for _, c := range []struct {
		dimension, identity string
		tick                int64
		want                string
	}{
		{"user", "kim", 1772550000000, "weir-797cb6f166a21d66"},
		{"use", "rkim", 1772550000000, "weir-3022f7734e5e3f65"},
		{"user", "kim", 1772550300000, "weir-f717d6da658e7e35"},
	} {
		if got := DedupKey(c.dimension, c.identity, c.tick); got != c.want {
			t.Errorf("DedupKey(%q, %q, %d) = %s, want %s", c.dimension, c.identity, c.tick, got, c.want)
		}
	}
	a := &Alert{DedupKey: "weir-0123456789abcdef", Status: Update, Time: 1772550000000}
	if got, want := a.MessageID(), "weir-0123456789abcdef_update_1772550000000"; got != want {
		t.Errorf("MessageID = %s, want %s", got, want)
	}
}

// Under a secret of the deployment nobody can say what the key of an episode will be.
func TestDedupSecret(t *testing.T) {
	a, b := DedupSecret("one"), DedupSecret("two")
	if again := DedupSecret("one"); a.Key("user", "kim", 5) != again.Key("user", "kim", 5) || a.Key("user", "kim", 5) == b.Key("user", "kim", 5) || a.Key("user", "kim", 5) == DedupKey("user", "kim", 5) {
		t.Error("the key does not follow from the secret")
	}
}
