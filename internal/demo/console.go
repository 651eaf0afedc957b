package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/pages"
	"github.com/weirhq/weir/internal/status"
)

// listenConsole takes the address of the console, if there is to be one, and says
// where it is.
func (o *Options) listenConsole(diagnostics io.Writer) (*pages.Server, error) {
	if o.Serve == "" || o.Serve == config.Off {
		return nil, nil
	}
	s, err := pages.Listen(o.Serve)
	if err != nil {
		return nil, errors.Join(err, errors.New("--serve off does without the console"))
	}
	fmt.Fprintf(diagnostics, "What weir shows: %s\n", s.URL)
	return s, nil
}

// serveConsole serves the console of the demonstration's own deployment, in which
// anybody on this machine may judge: its people do not exist. Verdicts are dated by
// the company's clock.
func (p *pipeline) serveConsole(served *pages.Server, feed *console.Feed, log *slog.Logger) error {
	o, err := pages.Options(p.settings.Config, feed, served.Address(), access.Person{Name: "demo", Role: access.Admin}, nil, log)
	if err != nil {
		return err
	}
	o.Name, o.Now = "demonstration", feed.EventTime
	o.Health = func(ctx context.Context) (*status.Status, error) {
		return status.Read(ctx, p.process.Connection, p.settings.Config)
	}
	o.Judge = pages.Judge(p.settings.Authority, destinations.VerdictWriter(p.process.Connection, p.process.Topics.Verdicts))
	o.Tuning = pages.Tuning(p.settings.Config, p.tuningLog)
	o.Tuning.Private = true // its broker ends with this program
	h, err := console.New(o)
	if err != nil {
		return err
	}
	served.Serve(h)
	return nil
}

// tuningLog tells weir tune where the embedded broker is, by a configuration that lasts
// as long as the run does.
func (p *pipeline) tuningLog() (args []string, done func(), err error) {
	dir, err := os.MkdirTemp("", "weir-demo-")
	if err != nil {
		return nil, nil, fmt.Errorf("making a configuration for the run: %w", err)
	}
	file := filepath.Join(dir, "weir.yaml")
	text := fmt.Sprintf("kafka: {brokers: [%q]}\nsources: [{topic: %s, format: native}]\n", p.cluster.ListenAddrs()[0], sourceTopic)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("making a configuration for the run: %w", err), os.RemoveAll(dir))
	}
	return []string{"-c", file}, func() { _ = os.RemoveAll(dir) }, nil // what is left of it says nothing
}
