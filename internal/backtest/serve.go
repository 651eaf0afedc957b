package backtest

import (
	"io"
	"log/slog"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/pages"
	"github.com/weirhq/weir/stream/correlate"
)

// Console is a console that shows a pass.
type Console struct{ *pages.Memory }

// ServeConsole has the console show what the pass finds, at an address, until Stop
// is called. It must be called after Alert and KeepSuppressed were set.
func (r *Run) ServeConsole(c *config.Config, address string, names []string, diagnostics io.Writer) (*Console, error) {
	log := slog.New(slog.NewTextHandler(diagnostics, &slog.HandlerOptions{Level: slog.LevelWarn}))
	m, err := pages.ServeMemory(c, address, "backtest of "+strings.Join(names, ", "), log)
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
	r.show = m.Show
	return &Console{m}, nil
}
