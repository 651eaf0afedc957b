package demo

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/destinations"
	"github.com/weirhq/weir/internal/soc"
)

// signingSecret signs clicks within one process, so it is no secret.
const signingSecret = "weir-demo-signs-its-own-clicks"

// socDestinations are how the demonstration tells its security team: chat for
// all, the pager for what is grave.
func socDestinations(c *config.Config, page string) {
	chat := config.Destination{
		Name: "chat", Type: config.Slack, Token: config.NewSecret("xoxb-look-alike"), Channel: "weir-alerts", API: page + "api",
		SigningSecret: config.NewSecret(signingSecret), Users: []string{fakesoc.Analyst},
	}
	pager := config.Destination{
		Name: "pager", Type: config.PagerDuty, RoutingKey: config.NewSecret("0123456789abcdef0123456789abcdef"), API: page,
	}
	for _, d := range []*config.Destination{&chat, &pager} {
		d.Timeout, d.GiveUpAfter, d.PerMinute = 5*time.Second, time.Hour, 6000 // it is on this machine, and two weeks pass in a minute
	}
	c.Alerts.Destinations = []config.Destination{chat, pager}
	c.Alerts.Routes = []config.Route{{To: []string{"chat"}}, {Severity: "medium", To: []string{"pager"}}}
}

// serveSOC starts the page of a demonstration, if there is to be one, and says
// where it is.
func (o *Options) serveSOC(diagnostics io.Writer) (*soc.Server, error) {
	if o.SOC == "" || o.SOC == config.Off {
		return nil, nil
	}
	s, err := soc.Start(o.SOC, fakesoc.Options{Interactivity: destinations.ClickPath + "chat", SigningSecret: signingSecret})
	if err != nil {
		return nil, errors.Join(err, errors.New("--soc off does without the page"))
	}
	fmt.Fprintf(diagnostics, "What the security team gets: %s\n", s.URL)
	return s, nil
}

// takeClicks makes clicks on the page verdicts of the demonstration's own
// deployment.
func (p *pipeline) takeClicks(page *soc.Server) error {
	mux := http.NewServeMux()
	log := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := destinations.HandleClicks(mux, p.settings.Config, log, p.settings.Authority, destinations.VerdictWriter(p.process.Connection, p.process.Topics.Verdicts)); err != nil {
		return err
	}
	page.TakeClicks(mux)
	return nil
}
