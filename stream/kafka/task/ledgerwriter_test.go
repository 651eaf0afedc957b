package task

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/topics"
)

// What correlate finds is chained in the order in which it is read: what was
// told, what was held back, what people said; and the head goes into the state.
func TestLedgerWriter(t *testing.T) {
	alert := func(key string) alerting.Alert {
		return alerting.Alert{Schema: alerting.Schema, DedupKey: key, Status: alerting.Open, Time: 1_772_550_000_000, Dimension: "user", Identity: "kim", Severity: episode.Low}
	}
	found := correlate.Findings{
		Alerts:     []alerting.Alert{alert("weir-1"), alert("weir-2")},
		Suppressed: []correlate.Suppressed{{By: correlate.SuppressedBy{Kind: correlate.ByVerdict, Name: "v"}, Alert: alert("weir-3")}},
		Effects:    []correlate.Effect{{Verdict: correlate.Verdict{ID: "v", Kind: correlate.Confirmed, DedupKey: "weir-1", Author: "eve"}, Time: 1_772_550_300_000}},
		Refusals:   []correlate.Refusal{{Verdict: correlate.Verdict{ID: "w", Author: "ciso"}, Refused: "it is not signed", Time: 1_772_550_300_000}},
	}
	names := topics.Named("weir.")
	w := ledgerWriter{names: names}
	var v ledger.Verifier
	restored := ledgerWriter{names: names}
	written := ""
	for range 2 { // the second time after a restore
		tx := cluster.Transaction{}
		if err := w.write(&tx, &found); err != nil {
			t.Fatal(err)
		}
		for i, rec := range tx.Records {
			switch rec.Topic {
			case names.Ledger:
				v.Add(fmt.Sprint("record ", i), rec.Value)
				written += string(rec.Value) + "\n"
			case names.Fleet:
				if err := restored.Load(rec.Key, rec.Value); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("something is written to %s", rec.Topic)
			}
		}
		w = restored
	}
	got := v.End(w.Head)
	if got.Fault != nil || got.Kinds[ledger.Alert] != 4 || got.Kinds[ledger.Suppression] != 2 || got.Kinds[ledger.Verdict] != 2 || got.Kinds[ledger.Refusal] != 2 {
		t.Errorf("the ledger holds %v; fault %+v", got.Kinds, got.Fault)
	}
	for _, says := range []string{
		`"seq":3,`, `"kind":"suppression","time":"2026-03-03T15:00:00.000Z","body":{"suppressed_by":{"kind":"verdict","name":"v"},"alert":{`,
		`"kind":"verdict","time":"2026-03-03T15:05:00.000Z","body":{"verdict":{"id":"v"`, `"author":"eve"`,
		`"kind":"refusal","time":"2026-03-03T15:05:00.000Z","body":{"verdict":{"id":"w"`, `"refused":"it is not signed"`,
	} {
		if !strings.Contains(written, says) {
			t.Errorf("the ledger does not say %s:\n%s", says, written)
		}
	}
	tx := cluster.Transaction{}
	if err := w.write(&tx, &correlate.Findings{}); err != nil || len(tx.Records) != 0 {
		t.Errorf("where nothing was found %d records are written, %v", len(tx.Records), err)
	}
	if at := time.Unix(0, 0); w.add(&tx, "gossip", at, []byte(`{}`)) == nil {
		t.Error("a kind that there is not was chained")
	}
}

// With a cut the settings in force are chained anew, since their record may be deleted.
func TestLedgerWriterCut(t *testing.T) {
	w := ledgerWriter{names: topics.Named("weir."), inForce: []byte(`{"n":1}`)}
	w.Settings, w.SettingsAt = ledger.SettingsDigest(w.inForce), 1_772_550_000_000
	found := correlate.Findings{Effects: []correlate.Effect{{Verdict: correlate.Verdict{ID: "v", Kind: correlate.Cut, DedupKey: "cut 1", Author: "dpo"}, Time: 1_772_550_300_000}}}
	tx := cluster.Transaction{}
	if err := w.write(&tx, &found); err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, rec := range tx.Records {
		if rec.Topic == w.names.Ledger {
			last = string(rec.Value)
		}
	}
	if !strings.Contains(last, `"seq":2,`) || !strings.Contains(last, `"kind":"config","time":"2026-03-03T15:00:00.000Z","body":{"n":1}`) || w.Head.Seq != 2 {
		t.Errorf("the last record is %s", last)
	}
}
