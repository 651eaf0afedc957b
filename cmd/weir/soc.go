package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/alerting/notify/fakesoc"
	"github.com/weirhq/weir/internal/soc"
	"github.com/weirhq/weir/internal/usage"
)

// newSOCCommand makes `weir soc`: a look-alike of what a security team sees.
func newSOCCommand() *cobra.Command {
	var listen, clicks, secret string
	cmd := &cobra.Command{
		Use:   "soc [--listen ADDRESS]",
		Short: "Serve a look-alike of Slack and PagerDuty, to see messages without an account",
		Long: `Serve a look-alike of Slack, PagerDuty, Microsoft Teams and Alertmanager, until
interrupted: the parts of their interfaces that weir speaks, held to the vendors'
rules, and a page on which messages arrive, change and resolve. It keeps
everything in memory and lets everybody in, so it listens on the loopback
interface unless told otherwise.

Destinations reach it like this:

  - {name: chat, type: slack, token: xoxb-any, channel: C1, api: "http://127.0.0.1:8025/api"}
  - {name: pager, type: pagerduty, routing_key: 0123456789abcdef0123456789abcdef, api: "http://127.0.0.1:8025"}
  - {name: channel, type: teams, url: "http://127.0.0.1:8025/workflows/1?sig=any"}
  - {name: am, type: alertmanager, url: "http://127.0.0.1:8025"}`,
		Example: `  weir soc
  weir soc --listen 127.0.0.1:9000
  weir soc --clicks http://127.0.0.1:9464/slack/chat --signing-secret 0123456789abcdef0123456789abcdef`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (clicks == "") != (secret == "") {
				return usage.Errorf("--clicks and --signing-secret go together")
			}
			s, err := soc.Start(listen, fakesoc.Options{Interactivity: clicks, SigningSecret: secret})
			if err != nil {
				return err
			}
			defer s.Stop()
			fmt.Fprintf(cmd.OutOrStdout(), "Messages are shown at %s\n", s.URL)
			<-cmd.Context().Done()
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8025", "address to listen on")
	cmd.Flags().StringVar(&clicks, "clicks", "", "URL that clicks on buttons are sent to, signed as Slack signs them")
	cmd.Flags().StringVar(&secret, "signing-secret", "", "secret that clicks are signed with")
	return cmd
}
