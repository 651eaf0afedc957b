package episode

import (
	"testing"

	"github.com/weirhq/weir/detectors/fact"
)

func TestConfidenceOf(t *testing.T) {
	for margin, want := range map[float64]Confidence{-1: Possible, 2.3: Possible, 2.4: Likely, 6.9: Likely, 7: VeryLikely} {
		if got := ConfidenceOf("", 10+margin, 10); got != want {
			t.Errorf("%v nats above: %s, want %s", margin, got, want)
		}
	}
	if got := ConfidenceOf(fact.RetiredKey, 0, 10); got != Certain {
		t.Errorf("a fact without evidence: %s, want certain", got)
	}
	if Confidence("").Valid() || Confidence("sure").Valid() || !VeryLikely.Valid() {
		t.Error("Valid")
	}
}
