package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// VerifyLedger gives the ledger of a deployment to a verifier and holds it against all
// that says the same: weir's own state, the alerts, what was held back, the verdicts, and
// the settings of the configuration at hand (nil: there are none). proof says whether a cut
// counts. It returns what is wrong, first what is wrong with the chain itself. each is
// called with each record of the ledger, to show progress.
func VerifyLedger(ctx context.Context, conn *cluster.Connection, names Names, v *ledger.Verifier, proof ledger.Proof, atHand []byte, each func()) (found ledger.Result, faults []ledger.Fault, err error) {
	copies := []*ledger.Copy{{Topic: names.Alerts, Kind: ledger.Alert}, {Topic: names.Suppressed, Kind: ledger.Suppression}}
	judged, settings := &ledger.Judged{Topic: names.Verdicts}, &ledger.Settings{}
	read := func(topic string, take func(value []byte)) {
		if err != nil {
			return
		}
		if _, err = conn.ReadAll(ctx, topic, 0, func(r *kgo.Record) error { take(r.Value); return nil }); err != nil {
			err = fmt.Errorf("reading %s: %w", topic, err)
		}
	}
	for _, c := range copies {
		read(c.Topic, c.Before)
	}
	if err != nil {
		return found, nil, err
	}
	v.Follow = func(r *ledger.Record) {
		for _, c := range copies {
			c.Chained(r)
		}
		judged.Chained(r)
		settings.Chained(r)
	}
	if v.Cut, v.Uncut, err = LedgerCut(ctx, conn, names, proof); err != nil {
		return found, nil, err
	}
	known, err := ReadLedger(ctx, conn, names, func(offset int64, value []byte) error {
		each()
		v.Add(fmt.Sprint("offset ", offset), value)
		return nil
	})
	for _, c := range copies {
		read(c.Topic, c.After)
	}
	read(names.Verdicts, judged.Given)
	if err != nil {
		return found, nil, err
	}
	found = v.End(known.Head)
	one := func(f *ledger.Fault) {
		if f != nil {
			faults = append(faults, *f)
		}
	}
	one(found.Fault)
	for _, c := range copies {
		one(c.Fault())
	}
	faults = append(faults, judged.Faults()...)
	return found, append(faults, settings.Faults(known.Head.Seq, known.Settings, atHand)...), nil
}
