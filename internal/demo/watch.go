package demo

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/score"
	"github.com/weirhq/weir/stream"
)

// output is what detect and correlate have written since the last poll.
type output struct {
	alerts     []*alerting.Alert
	candidates []stream.Candidate
	params     *score.Parameters // of the last bin that all of weir is done with
	err        error
}

// watch reads what detect and correlate write, until ctx ends. The parameters of
// a bin come after all alerts of that bin.
func (p *pipeline) watch(ctx context.Context, outputs chan<- output) {
	w := watcher{p: p, adm: kadm.NewClient(p.client)}
	for ctx.Err() == nil {
		n := w.poll(ctx)
		select {
		case outputs <- n:
		case <-ctx.Done():
		}
		if n.err != nil {
			return
		}
	}
}

// watcher reads weir.alerts, weir.evidence and weir.parameters.
type watcher struct {
	p      *pipeline
	adm    *kadm.Client
	alerts int64             // next offset to read of weir.alerts
	end    int64             // where weir.alerts ended when held was written
	held   *score.Parameters // waits until all alerts written before it are read
}

// poll reads what is there.
func (w *watcher) poll(ctx context.Context) (n output) {
	names := w.p.process.Topics
	var last *score.Parameters
	fetches := w.p.client.PollFetches(ctx)
	fetches.EachRecord(func(r *kgo.Record) {
		if r.Topic == names.Alerts {
			w.alerts = r.Offset + 1
		}
		if r.Attrs.IsControl() || n.err != nil {
			return
		}
		switch r.Topic {
		case names.Alerts:
			var a *alerting.Alert
			if a, n.err = alerting.ParseAlert(r.Value); n.err == nil {
				n.alerts = append(n.alerts, a)
			}
		case names.Evidence:
			var report *stream.EvidenceReport
			if report, n.err = stream.DecodeEvidenceReport(r.Value); n.err == nil {
				n.candidates = append(n.candidates, report.Candidates...)
			}
		case names.Parameters:
			last, _, n.err = score.DecodeParameters(r.Value)
		}
	})
	if n.err == nil && last != nil {
		w.held = last
		n.err = w.mark(ctx)
	}
	if w.held != nil && w.alerts >= w.end {
		n.params, w.held = w.held, nil
	}
	return n
}

// mark notes where weir.alerts ends now.
func (w *watcher) mark(ctx context.Context) error {
	name := w.p.process.Topics.Alerts
	ends, err := w.adm.ListEndOffsets(ctx, name)
	if err != nil {
		return fmt.Errorf("finding the end of the alerts: %w", err)
	}
	end, _ := ends.Lookup(name, 0)
	w.end = end.Offset
	return nil
}
