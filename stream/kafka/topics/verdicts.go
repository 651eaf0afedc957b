package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// AppendVerdict writes what a person says to weir.verdicts. It returns once
// the verdict is there to stay; when it takes effect, correlate says.
func AppendVerdict(ctx context.Context, conn *cluster.Connection, names Names, verdicts ...correlate.Verdict) error {
	cl, err := conn.Client(ctx)
	if err != nil {
		return err
	}
	defer cl.Close()
	records := make([]*kgo.Record, len(verdicts))
	for i := range verdicts {
		value, err := verdicts[i].Encode()
		if err != nil {
			return err
		}
		records[i] = &kgo.Record{Topic: names.Verdicts, Key: []byte(verdicts[i].DedupKey), Value: value}
	}
	out := cluster.NewWriter(cl)
	for _, rec := range records {
		out.Write(ctx, rec)
	}
	if err := out.Flush(ctx); err != nil {
		return fmt.Errorf("writing a verdict: %w", cluster.Explain(err))
	}
	return nil
}
