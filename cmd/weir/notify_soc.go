package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/config"
)

// newSOCCommand makes `weir soc`: a look-alike of what a security team sees.
func newSOCCommand() *cobra.Command {
	var listen, clicks, secret string
	cmd := &cobra.Command{
		Use:   "soc [--listen ADDRESS]",
		Short: "Serve a look-alike of Slack and PagerDuty, to see messages without an account",
		Long: `Serve a look-alike of Slack, PagerDuty and Alertmanager, until interrupted: the
parts of their interfaces that weir speaks, held to the vendors' rules, and a
page on which messages arrive, change and resolve. It keeps everything in memory
and lets everybody in, so it listens on the loopback interface unless told
otherwise.

Destinations reach it like this:

  - {name: chat, type: slack, token: xoxb-any, channel: C1, api: "http://127.0.0.1:8025/api"}
  - {name: pager, type: pagerduty, routing_key: 0123456789abcdef0123456789abcdef, api: "http://127.0.0.1:8025"}
  - {name: am, type: alertmanager, url: "http://127.0.0.1:8025"}`,
		Example: `  weir soc
  weir soc --listen 127.0.0.1:9000
  weir soc --clicks http://127.0.0.1:9464/slack/chat --signing-secret 0123456789abcdef0123456789abcdef`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (clicks == "") != (secret == "") {
				return usagef("--clicks and --signing-secret go together")
			}
			s, err := startSOC(listen, fakesoc.Options{Interactivity: clicks, SigningSecret: secret})
			if err != nil {
				return err
			}
			defer s.stop()
			fmt.Fprintf(cmd.OutOrStdout(), "Messages are shown at %s\n", s.url)
			<-cmd.Context().Done()
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8025", "address to listen on")
	cmd.Flags().StringVar(&clicks, "clicks", "", "URL that clicks on buttons are sent to, signed as Slack signs them")
	cmd.Flags().StringVar(&secret, "signing-secret", "", "secret that clicks are signed with")
	return cmd
}

// soc is a look-alike that is being served.
type soc struct {
	*fakesoc.Server
	url    string // of the page
	stop   func()
	clicks atomic.Pointer[http.ServeMux] // takes clicks that are sent to the look-alike's own address
}

// startSOC serves a look-alike. Where clicks go may be a path: then they come
// back to the same address, and to clicks once that is set.
func startSOC(listen string, o fakesoc.Options) (*soc, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("serving the look-alike: %w; choose another address", err)
	}
	s := &soc{url: "http://" + reachable(listener.Addr()) + "/"}
	if path, own := strings.CutPrefix(o.Interactivity, "/"); own {
		o.Interactivity = s.url + path
	}
	s.Server = fakesoc.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute,
		// The pages' streams end when it stops.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	s.stop = func() {
		cancel()
		_ = server.Close() // nothing is kept
		<-ended
	}
	return s, nil
}

// ServeHTTP answers as the look-alike does, and takes its clicks.
func (s *soc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if clicks := s.clicks.Load(); clicks != nil && strings.HasPrefix(r.URL.Path, slackPath) {
		clicks.ServeHTTP(w, r)
		return
	}
	s.Server.ServeHTTP(w, r)
}

// reachable is an address that a browser on this machine can open.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// off is the value of --soc that serves no page.
const off = config.Off

// demoSigningSecret signs clicks within one process, so it is no secret.
const demoSigningSecret = "weir-demo-signs-its-own-clicks"

// socDestinations are how the demonstration tells its security team: chat for
// all, the pager for what is grave.
func socDestinations(c *config.Config, page string) {
	chat := config.Destination{
		Name: "chat", Type: config.Slack, Token: config.NewSecret("xoxb-look-alike"), Channel: "weir-alerts", API: page + "api",
		SigningSecret: config.NewSecret(demoSigningSecret),
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
func (o *demoOptions) serveSOC(diagnostics io.Writer) (*soc, error) {
	if o.soc == "" || o.soc == off {
		return nil, nil
	}
	s, err := startSOC(o.soc, fakesoc.Options{Interactivity: slackPath + "chat", SigningSecret: demoSigningSecret})
	if err != nil {
		return nil, errors.Join(err, errors.New("--soc off does without the page"))
	}
	fmt.Fprintf(diagnostics, "What the security team gets: %s\n", s.url)
	return s, nil
}

// answer makes clicks verdicts of the demonstration's own deployment.
func (s *soc) answer(p *demoPipeline) error {
	mux := http.NewServeMux()
	log := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := handleClicks(mux, p.settings.config, log, appendVerdicts(p.process)); err != nil {
		return err
	}
	s.clicks.Store(mux)
	return nil
}
