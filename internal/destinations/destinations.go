// Package destinations builds the destinations of a configuration, where alerts
// go, with their routes, quiet hours and pace. It also takes the answers that
// come back from Slack, and sends samples to try a destination.
package destinations

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/alertmanager"
	"github.com/weirhq/weir/alerting/notify/email"
	"github.com/weirhq/weir/alerting/notify/ocsf"
	"github.com/weirhq/weir/alerting/notify/pagerduty"
	slackchannel "github.com/weirhq/weir/alerting/notify/slack"
	"github.com/weirhq/weir/alerting/notify/stdout"
	"github.com/weirhq/weir/alerting/notify/syslog"
	"github.com/weirhq/weir/alerting/notify/teams"
	"github.com/weirhq/weir/alerting/notify/webhook"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/heartbeat"
	"github.com/weirhq/weir/internal/settings"
	"github.com/weirhq/weir/internal/usage"
	"github.com/weirhq/weir/stream/kafka/cluster"
	"github.com/weirhq/weir/stream/kafka/deliver"
)

// Env is what destinations need of the process that they are built in.
type Env struct {
	Connection *cluster.Connection // through which destinations of the type kafka write
	Out        io.Writer           // what destinations of the type stdout write to
	Version    string              // of weir
}

// All builds every destination of a configuration, with its routes and its
// pace.
func All(c *config.Config, env Env) (list []deliver.Destination, err error) {
	routes := settings.Routes(c)
	prepare := alerting.Preparer(alerting.LinkTemplates(c.Alerts.Links))
	for i := range c.Alerts.Destinations {
		d := &c.Alerts.Destinations[i]
		dest, err := New(c, d, env)
		if err != nil {
			return nil, c.At(fmt.Sprintf("alerts.destinations[%d]", i), err)
		}
		list = append(list, deliver.Destination{Destination: dest, Policy: notify.Policy{
			Timeout: d.Timeout, MaxAge: d.GiveUpAfter, PerMinute: perMinute(d),
			Accept: func(a *alerting.Alert) bool { return routes.Wants(d.Name, a) },
			Hold:   holdOf(c, d), Prepare: prepare,
		}, Heartbeat: heartbeatOf(c, d, env.Connection)})
	}
	return list, nil
}

// Named returns the destination of a name. That there is none is a usage.Error.
func Named(c *config.Config, name string) (*config.Destination, error) {
	var names []string
	for i := range c.Alerts.Destinations {
		d := &c.Alerts.Destinations[i]
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	if len(names) == 0 {
		return nil, usage.Errorf("%s has no destinations; add one under alerts.destinations", c.File())
	}
	return nil, usage.Errorf("%s has no destination %q; it has %s", c.File(), name, strings.Join(names, ", "))
}

// perMinute is how many messages a destination gets a minute; below 0: no limit.
func perMinute(d *config.Destination) float64 {
	if d.Type == config.Stdout {
		return -1 // nobody's service has to be spared
	}
	return float64(d.PerMinute)
}

// heartbeatOf returns the heartbeats of a destination, nil if it gets none.
func heartbeatOf(c *config.Config, d *config.Destination, conn *cluster.Connection) *deliver.Heartbeat {
	h := &c.Alerts.Heartbeat
	if h.Every == 0 || !d.Heartbeat {
		return nil
	}
	return &deliver.Heartbeat{
		Schedule: notify.Schedule{Every: h.Every, At: h.At.Since(), Location: c.Time.Zone},
		Compose: func(ctx context.Context, since time.Time) (*alerting.Heartbeat, error) {
			return heartbeat.Compose(ctx, conn, c, since)
		},
	}
}

// holdOf returns how long a destination's alerts are held.
func holdOf(c *config.Config, d *config.Destination) *notify.Hold {
	h := &notify.Hold{Group: d.GroupEvery}
	if q := &d.Quiet; q.IsSet() {
		h.Quiet = &notify.Quiet{
			From: q.From.Since(), To: q.To.Since(), Days: q.Weekdays(), Location: c.Time.Zone, Below: settings.Severity(q.Below),
		}
	}
	return h
}

// Slack builds a destination of the type slack; it reaches out to nobody.
func Slack(c *config.Config, d *config.Destination) (*slackchannel.Slack, error) {
	tls, err := d.TLS()
	if err != nil {
		return nil, err
	}
	return slackchannel.New(slackchannel.Options{
		Name: d.Name, WebhookURL: d.URL.Reveal(), Token: d.Token.Reveal(), Channel: d.Channel, API: d.API,
		Buttons: d.SigningSecret.IsSet(), Location: c.Time.Zone, TLS: tls, Timeout: d.Timeout,
	})
}

// New builds one destination; it reaches out to nobody.
func New(c *config.Config, d *config.Destination, env Env) (notify.Destination, error) {
	tls, err := d.TLS()
	if err != nil {
		return nil, err
	}
	switch zone := c.Time.Zone; d.Type {
	case config.Stdout:
		return stdout.New(d.Name, env.Out, stdout.Format(d.Format), zone)
	case config.Webhook:
		return webhook.New(webhook.Options{Name: d.Name, URL: d.URL.Reveal(), Secret: d.Secret.Reveal(), TLS: tls, Timeout: d.Timeout})
	case config.Slack:
		return Slack(c, d)
	case config.PagerDuty:
		return pagerduty.New(pagerduty.Options{
			Name: d.Name, RoutingKey: d.RoutingKey.Reveal(), API: d.API, Location: zone, TLS: tls, Timeout: d.Timeout,
		})
	case config.Alertmanager:
		return alertmanager.New(alertmanager.Options{
			Name: d.Name, URL: d.URL.Reveal(), Username: d.Username, Password: d.Password.Reveal(), Token: d.Token.Reveal(),
			Resend: d.Resend, Location: zone, TLS: tls, Timeout: d.Timeout,
		})
	case config.KafkaTopic:
		return ocsf.New(ocsf.Options{Name: d.Name, Version: env.Version, Location: zone, Producer: &topic{conn: env.Connection, name: d.Topic}})
	case config.Syslog:
		host, err := settings.Instance(c)
		if err != nil {
			return nil, err
		}
		return syslog.New(syslog.Options{
			Name: d.Name, Network: d.Network, Address: d.Address, Hostname: host, Version: env.Version, Facility: d.Facility,
			Location: zone, TLS: tls, Timeout: d.Timeout,
		})
	case config.Email:
		return email.New(email.Options{
			Name: d.Name, Address: d.Address, Encryption: d.Encryption, Username: d.Username, Password: d.Password.Reveal(),
			From: d.From, To: d.To, Location: zone, TLS: tls, Timeout: d.Timeout,
		})
	case config.Teams:
		return teams.New(teams.Options{Name: d.Name, URL: d.URL.Reveal(), Location: zone, TLS: tls, Timeout: d.Timeout})
	}
	return nil, fmt.Errorf("there is no destination of type %q", d.Type)
}
