package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// VerifyLedger gives the ledger of a deployment to a verifier and holds it against the
// topics that say the same: the alerts, what was held back, and the verdicts. It returns
// the head that weir's state knows of, and the first fault that the topics show, nil if
// there is none. each is called with each record of the ledger, to show progress.
func VerifyLedger(ctx context.Context, conn *cluster.Connection, names Names, v *ledger.Verifier, each func()) (known ledger.Head, fault *ledger.Fault, err error) {
	copies := []*ledger.Copy{{Topic: names.Alerts, Kind: ledger.Alert}, {Topic: names.Suppressed, Kind: ledger.Suppression}}
	judged := &ledger.Judged{Topic: names.Verdicts}
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
		return known, nil, err
	}
	v.Follow = func(r *ledger.Record) {
		for _, c := range copies {
			c.Chained(r)
		}
		judged.Chained(r)
	}
	known, err = ReadLedger(ctx, conn, names, func(offset int64, value []byte) error {
		each()
		v.Add(fmt.Sprint("offset ", offset), value)
		return nil
	})
	for _, c := range copies {
		read(c.Topic, c.After)
	}
	read(names.Verdicts, judged.Given)
	if err != nil {
		return known, nil, err
	}
	for _, c := range copies {
		if fault = c.Fault(); fault != nil {
			return known, fault, nil
		}
	}
	return known, judged.Fault(), nil
}
