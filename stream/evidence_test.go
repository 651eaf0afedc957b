package stream

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/weirhq/weir/detectors/campaign"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
	"github.com/weirhq/weir/detectors/fleet"
	"github.com/weirhq/weir/detectors/trait"
	"github.com/weirhq/weir/internal/eventtime"
	"github.com/weirhq/weir/internal/wire"
	"pgregory.net/rapid"
)

// fullReport has every field set.
func fullReport() *EvidenceReport {
	share := 0.25
	context := Context{
		Traits:   []campaign.TraitShare{{Trait: trait.Trait{Dimension: 1, Identity: "office"}, Share: 0.5}},
		ShareNew: &share, FirstSeen: 7, LastSeen: 8, TraitsSince: 9,
	}
	exposed := episode.Exposed{Records: 4, Low: 3, High: 5, Since: 1_772_442_000_000, Rows: 6}
	sums := new(campaign.TraitSums)
	sums.Add(&campaign.ActiveIdentity{Identity: "u", Log: 3, Traits: []trait.Trait{{Dimension: 1, Identity: "n"}}})
	return &EvidenceReport{
		Partition: 3, Done: 5,
		Candidates: []Candidate{{
			Tick: 5, Dimension: 2, Identity: "김", Group: "volume", Log: 7.5, Threshold: 7.25, Bin: 6, Onset: 1_772_442_000_000, Earliest: 1_772_438_400_000, Latest: 1_772_445_600_000,
			Course: []Course{{Measure: "distinct", Observed: 8, Expected: 2, Excess: episode.Excess{Records: 6, Low: 4, High: 7}}}, Peers: "user:crm", Exposed: exposed, Context: context,
			Measures: []MeasureEvidence{{Measure: "distinct", Log: 7, Observed: 8, Low: 7, High: 9, Expected: 1, From: 1_772_409_600_000, Mode: 4, Dispersion: 5, Ratio: 3, Allowed: 2,
				Rates: []RateEvidence{{Rate: 1.5, Log: 6}}}},
		}},
		Facts: []FactCandidate{{Tick: 5, Dimension: SourceDimension, Identity: "crm.access", Fact: fact.SourceSilent, Time: -1,
			Detail: map[string]string{"since": "today", "a": ""}, Exposed: exposed, Through: episode.Excess{Records: 3, Low: 2, High: 4}, Context: context}},
		Bins: []BinSums{{Bin: 9, Sums: new(fleet.Sums).AppendBinary(nil), Traits: sums.AppendBinary(nil)}},
	}
}

func encoded(t testing.TB, r *EvidenceReport) []byte {
	t.Helper()
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is written of any report reads back, field by field.
func TestEvidenceReportReadsBack(t *testing.T) {
	want := fullReport()
	got, err := DecodeEvidenceReport(encoded(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		number, text := rapid.Float64Range(-1e300, 1e300), rapid.String()
		want := &EvidenceReport{Partition: rapid.Int32Min(0).Draw(t, "partition"), Done: rapid.SampledFrom([]int64{eventtime.Never, 0, 9}).Draw(t, "done")}
		for range rapid.IntRange(0, 3).Draw(t, "candidates") {
			c := Candidate{Tick: rapid.Int64().Draw(t, "tick"), Dimension: rapid.IntRange(0, 9).Draw(t, "dimension"), Identity: text.Draw(t, "identity"), Log: number.Draw(t, "log"),
				Spent: rapid.Bool().Draw(t, "spent"), Stale: rapid.Bool().Draw(t, "stale")}
			for range rapid.IntRange(0, 2).Draw(t, "measures") {
				m := MeasureEvidence{Measure: text.Draw(t, "measure")}
				for _, v := range m.numbers() {
					*v = number.Draw(t, "number")
				}
				c.Measures = append(c.Measures, m)
			}
			want.Candidates = append(want.Candidates, c)
		}
		got, err := DecodeEvidenceReport(want.appendBinary(nil))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, want)
		}
	})
}

// A record that is cut short, longer, of another version or JSON is refused, and
// the message says which.
func TestEvidenceReportRefuses(t *testing.T) {
	b := encoded(t, fullReport())
	for n := range b {
		if _, err := DecodeEvidenceReport(b[:n]); !errors.Is(err, wire.ErrCorrupt) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(b), err)
		}
	}
	for want, value := range map[string][]byte{
		"bytes too many":         append(bytes.Clone(b), 0),
		"version 2":              append([]byte{2}, b[1:]...),
		"JSON, which an older":   []byte(`{"v":2,"partition":0,"done":5}`),
		"a partition out of ran": wire.AppendVarints([]byte{EvidenceVersion}, -1, 0),
	} {
		if _, err := DecodeEvidenceReport(value); !errors.Is(err, wire.ErrCorrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	r := fullReport()
	r.Candidates[0].Measures[0].Ratio = math.Inf(1)
	if _, err := r.Encode(); err == nil || !strings.Contains(err.Error(), "distinct") {
		t.Errorf("an infinite factor: %v", err)
	}
}

// A report that is cut up carries the same, and only the last part lets a reader
// act.
func TestEvidenceReportSplit(t *testing.T) {
	r := &EvidenceReport{Partition: 2, Done: 8, Candidates: make([]Candidate, 5), Facts: make([]FactCandidate, 3), Bins: make([]BinSums, 1)}
	var candidates, facts, bins int
	parts := r.Split(2)
	for i, p := range parts {
		candidates, facts, bins = candidates+len(p.Candidates), facts+len(p.Facts), bins+len(p.Bins)
		if last := i == len(parts)-1; p.Partition != 2 || (p.Done == 8) != last || len(p.Candidates) > 2 || len(p.Facts) > 2 {
			t.Errorf("part %d: %+v", i, p)
		}
	}
	if candidates != 5 || facts != 3 || bins != 1 {
		t.Errorf("%d candidates, %d facts, %d bins", candidates, facts, bins)
	}
}

func FuzzDecodeEvidenceReport(f *testing.F) {
	f.Add(encoded(f, fullReport()))
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := DecodeEvidenceReport(value)
		if err != nil {
			if !errors.Is(err, wire.ErrCorrupt) {
				t.Fatalf("%v is not wire.ErrCorrupt", err)
			}
			return
		}
		if again := r.appendBinary(nil); !bytes.Equal(again, value) {
			t.Fatalf("read back as\n%x\nwritten as\n%x", again, value)
		}
	})
}
