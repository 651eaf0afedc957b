package backtest

import (
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console/tuning"
	"github.com/weirhq/weir/internal/pages"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
)

// Console is a console that shows a pass.
type Console struct{ *pages.Memory }

// ServeConsole has the console show what the pass finds, at an address, until Stop
// is called; its page Tuning reads the files of a format again. It must be called after
// Alert and KeepSuppressed were set.
func (r *Run) ServeConsole(c *config.Config, address, format string, names []string, diagnostics io.Writer) (*Console, error) {
	logger := slog.New(slog.NewTextHandler(diagnostics, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var log tuning.Log
	if !slices.Contains(names, "-") { // standard input cannot be read again
		log = tuning.Files(c.File(), format, names)
	}
	m, err := pages.ServeMemory(c, address, "backtest of "+strings.Join(names, ", "), log, logger)
	if err != nil {
		return nil, err
	}
	alert, held := r.Alert, r.Local.Held
	r.Alert = func(a *alerting.Alert) error {
		m.Alert(a)
		return alert(a)
	}
	r.Local.Held = func(s *correlate.Suppressed) {
		m.Suppressed(s)
		held(s)
	}
	dimensions := make([]string, len(c.Dimensions))
	for i := range c.Dimensions {
		dimensions[i] = c.Dimensions[i].Name
	}
	r.Local.Reported = func(report *stream.EvidenceReport) { m.Reported(dimensions, report) }
	r.Local.Learned = func(p *stream.ParameterRecord) { m.Learned(dimensions, p) }
	r.show = m.Show
	return &Console{m}, nil
}
