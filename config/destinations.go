package config

import (
	"errors"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/detectors/fact"
)

// The types of destination.
const (
	Stdout       = "stdout"
	Webhook      = "webhook"
	Slack        = "slack"
	PagerDuty    = "pagerduty"
	Alertmanager = "alertmanager"
	KafkaTopic   = "kafka"
	Syslog       = "syslog"
	Email        = "email"
	Teams        = "teams"
)

// Alerts says how many are wanted and where they go.
type Alerts struct {
	Budget       Budget
	Links        Links
	Heartbeat    Heartbeat
	Destinations []Destination
	Routes       []Route
	DefaultRoute []string // destinations of what no route matches
}

// Links are templates of the URLs in messages; see alerting.LinkTemplates.
type Links struct {
	Console, Runbook, Query string
}

// Destination is one place to which alerts go. Which fields a type uses is in
// destinationKeys.
type Destination struct {
	Name          string
	Type          string
	Format        string // json or table
	URL           Secret // may hold a token
	Secret        Secret // signs messages
	Token         Secret
	Channel       string
	SigningSecret Secret   // of clicks on buttons
	Users         []string // whose clicks count
	RoutingKey    Secret
	API           string // empty: the vendor's
	Username      string
	Password      Secret
	Resend        time.Duration
	Topic         string
	Network       string // udp, tcp or tls
	Address       string // host:port
	Facility      int
	Encryption    string // starttls, tls or none
	From          string
	To            []string
	CAFile        string // empty: the system's roots
	Timeout       time.Duration
	PerMinute     int           // attempts; stdout has no limit
	GiveUpAfter   time.Duration // from the alert to the last attempt
	GroupEvery    time.Duration // 0: at once
	Quiet         Quiet
	Heartbeat     bool // it gets heartbeats, where there are any
}

// Quiet are hours in which only what is grave enough comes through.
type Quiet struct {
	From, To Clock
	Days     []string // mon to sun; empty: every day
	Below    string   // severity
}

// IsSet reports whether there are such hours.
func (q *Quiet) IsSet() bool { return q.From.set && q.To.set }

// Weekdays returns the days.
func (q *Quiet) Weekdays() (days []time.Weekday) {
	for _, d := range q.Days {
		days = append(days, time.Weekday(slices.Index(weekdays, d)))
	}
	return days
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Clock is a time of day; the zero value is none.
type Clock struct {
	since time.Duration
	set   bool
}

// Since returns the time since midnight, 0 to 24 h.
func (c Clock) Since() time.Duration { return c.since }

// String returns HH:MM, or nothing.
func (c Clock) String() string {
	if !c.set {
		return ""
	}
	m := int(c.since / time.Minute)
	return string([]byte{'0' + byte(m/600), '0' + byte(m/60%10), ':', '0' + byte(m%60/10), '0' + byte(m%10)})
}

// MarshalText returns String.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Route sends the alerts that match it to destinations.
type Route struct {
	Severity   string   // at least this one; empty: any
	Dimensions []string // empty: any
	Detectors  []string // detectors, kinds, measures or facts; empty: any
	To         []string
}

// defaultRunbook is where the runbooks that come with weir can be read.
const defaultRunbook = "https://github.com/weirhq/weir/blob/main/docs/alerts.md#{runbook}"

func stdoutDestination() Destination {
	d := defaultDestination()
	d.Name, d.Type = Stdout, Stdout
	return d
}

func defaultDestination() Destination {
	return Destination{
		Format: "json", Timeout: 10 * time.Second, PerMinute: 60, GiveUpAfter: day,
		Resend: time.Minute, Network: "tcp", Facility: 13, Encryption: "starttls", Heartbeat: true, Quiet: Quiet{Below: episode.Critical.String()},
	}
}

func alertsFields(a *Alerts) field {
	return mapping("alerts", "How many alerts are wanted, and where they go.",
		scalar("budget", budget(&a.Budget), "Ceiling on the statistical episodes that open on average while nothing is wrong, over the whole fleet. Thresholds follow from it. Facts stand outside it.", "10/week"),
		mapping("links", "URLs that messages point to. In them `{dedup_key}`, `{campaign}`, `{dimension}`, `{identity}`, `{detector}`, `{measure}`, `{fact}`, `{kind}`, `{runbook}` (the fact, else campaign, else the dimension), `{from}` and `{to}` stand for those of the alert.",
			scalar("console", text(&a.Links.Console, linkTemplate), "The episode in weir's console.", "https://weir.example/episodes/{dedup_key}"),
			scalar("runbook", text(&a.Links.Runbook, linkTemplate), "What to do about such an alert.", "https://wiki.example/runbooks/{runbook}"),
			scalar("query", text(&a.Links.Query, linkTemplate), "The events behind it, in your log store.", "https://logs.example/search?q={dimension}:{identity}&from={from}&to={to}"),
		),
		heartbeatFields(&a.Heartbeat),
		field{name: "destinations", doc: "Where alerts are sent, besides the alerts topic. `[]` sends none.",
			items: &items{
				reset: func() { a.Destinations = nil },
				next: func() []field {
					a.Destinations = append(a.Destinations, defaultDestination())
					return destinationFields(&a.Destinations[len(a.Destinations)-1])
				},
				fields: func() []field { d := defaultDestination(); return destinationFields(&d) }(),
				show:   func() string { return "[{name: stdout, type: stdout}]" },
			}},
		field{name: "routes", doc: "Which alerts go where: to the destinations of every route that matches. Without routes every destination gets every alert.",
			items: &items{
				reset: func() { a.Routes = nil },
				next: func() []field {
					a.Routes = append(a.Routes, Route{})
					return routeFields(&a.Routes[len(a.Routes)-1])
				},
				fields: routeFields(new(Route)),
				show:   none,
			}},
		field{name: "default_route", doc: "Destinations of the alerts that no route matches.", example: "[log]",
			list: texts(&a.DefaultRoute, none, notEmpty)},
	)
}

func destinationFields(d *Destination) []field {
	severities := []string{episode.Medium.String(), episode.High.String(), episode.Critical.String()}
	f := []field{
		required(scalar("name", text(&d.Name, notEmpty, word), "Name in logs, metrics, routes and delivery records.", "soc")),
		required(scalar("type", oneOf(&d.Type, Stdout, Webhook, Slack, PagerDuty, Alertmanager, KafkaTopic, Syslog, Email, Teams), "Kind of destination; docs/alerts.md has an example of each.", "webhook")),
		scalar("format", oneOf(&d.Format, "json", "table"), "Form of stdout.", ""),
	}
	f = append(f, secretFields("url", &d.URL, "Address of a webhook, of Slack's incoming webhook, of a Teams workflow, or of Alertmanager; kept secret, since it may hold a token.", "https://soc.example/hooks/weir", httpURL)...)
	f = append(f, secretFields("secret", &d.Secret, "Secret that signs a webhook's messages: whsec_ and the base64 of 24 to 64 random bytes (`echo whsec_$(openssl rand -base64 32)`).", "${WEBHOOK_SECRET}")...)
	f = append(f, secretFields("token", &d.Token, "Token of a Slack bot (xoxb-…), or bearer token of Alertmanager.", "${SLACK_TOKEN}")...)
	f = append(f, scalar("channel", text(&d.Channel, notEmpty), "Channel that a Slack bot posts to, best by its id.", "C024BE91L"))
	f = append(f, secretFields("signing_secret", &d.SigningSecret, "Signing secret of the Slack app: messages get buttons, whose clicks come to `/slack/` and the destination's name on http.listen, and are checked with it.", "${SLACK_SIGNING_SECRET}")...)
	f = append(f, field{name: "users", doc: "Ids of the Slack users whose clicks on buttons count; anybody else's are refused, and alerted of. Goes with signing_secret.", example: "[U024BE7LH]",
		list: texts(&d.Users, none, notEmpty, word)})
	f = append(f, secretFields("routing_key", &d.RoutingKey, "Integration key of PagerDuty's Events API v2.", "${PAGERDUTY_ROUTING_KEY}")...)
	f = append(f,
		scalar("api", text(&d.API, notEmpty, httpURL), "Where the API of Slack (default https://slack.com/api) or PagerDuty (default https://events.pagerduty.com) answers; for the European region, and for look-alikes.", "https://events.eu.pagerduty.com"),
		scalar("username", text(&d.Username, notEmpty), "User of Alertmanager's basic authentication, or of the mail server.", "weir"))
	f = append(f, secretFields("password", &d.Password, "Password of that user.", "${ALERTMANAGER_PASSWORD}")...)
	return append(f,
		scalar("resend", duration(&d.Resend, 10*time.Second, time.Hour, time.Second), "How often Alertmanager is told of an open episode; it takes it for over after four times as long.", ""),
		scalar("topic", text(&d.Topic, notEmpty, topicName), "Topic, on the same cluster, that gets OCSF Detection Findings. It must exist.", "security.findings"),
		scalar("network", oneOf(&d.Network, "udp", "tcp", "tls"), "How syslog is reached.", ""),
		scalar("address", text(&d.Address, notEmpty, brokerAddress), "Host and port of the syslog receiver or mail server.", "siem.example:6514"),
		scalar("facility", integer(&d.Facility, 1, 23), "Facility of syslog messages; 13 is log audit.", ""),
		scalar("encryption", oneOf(&d.Encryption, "starttls", "tls", "none"), "How a mail server is reached: from plain text to TLS (port 587), TLS at once (465), or in plain text (25), then without a user.", ""),
		scalar("from", text(&d.From, notEmpty, mailAddress), "Sender of e-mail.", "weir@example.com"),
		field{name: "to", doc: "Recipients of e-mail. The mail server must take all of them; the address of a list is best.", example: "[soc@example.com]",
			list: texts(&d.To, none, notEmpty, mailAddress)},
		scalar("ca_file", file(&d.CAFile, pemAuthorities), "PEM file of the authorities that sign the receiver's certificate; without it, the system's.", "ca.pem"),
		scalar("timeout", duration(&d.Timeout, 100*time.Millisecond, time.Minute, time.Millisecond), "Longest wait for one attempt.", ""),
		scalar("per_minute", integer(&d.PerMinute, 1, 60_000), "Most attempts a minute. Stdout has no limit.", ""),
		scalar("give_up_after", duration(&d.GiveUpAfter, time.Minute, 30*day, time.Second), "How long after an alert was raised a failing destination is still tried; then the alert is a dead letter.", ""),
		scalar("group_every", duration(&d.GroupEvery, 0, day, time.Second), "Messages wait for the end of the interval in which they were raised, and come together. Critical ones never wait.", "15m"),
		mapping("quiet", "Hours, by time.zone, in which messages wait. Critical ones never wait.",
			scalar("from", clock(&d.Quiet.From), "When they begin.", "22:00"),
			scalar("to", clock(&d.Quiet.To), "When they end; earlier than from means on the next day.", "07:00"),
			field{name: "days", doc: "Days on which they begin, mon to sun; without it, every day.", example: "[mon, tue, wed, thu, fri]",
				list: texts(&d.Quiet.Days, none, weekday)},
			scalar("below", oneOf(&d.Quiet.Below, severities...), "Only alerts milder than this wait.", ""),
		),
		scalar("heartbeat", boolean(&d.Heartbeat), "Whether it gets heartbeats. They do not wait for quiet hours.", ""),
	)
}

func routeFields(r *Route) []field {
	return []field{
		scalar("severity", oneOf(&r.Severity, episode.Low.String(), episode.Medium.String(), episode.High.String(), episode.Critical.String()), "Matches alerts at least as grave.", "high"),
		{name: "dimensions", doc: "Matches alerts of one of these dimensions; `campaign` is that of campaigns.", example: "[key, network]",
			list: texts(&r.Dimensions, none, notEmpty)},
		{name: "detectors", doc: "Matches alerts of one of these: a kind (" + strings.Join(kindWords(), ", ") + "), a measure (" + strings.Join(alerting.Measures(), ", ") + ") or a fact (" + strings.Join(factWords(), ", ") + ").", example: "[fact, destructive]",
			list: texts(&r.Detectors, none, detectorWord)},
		required(field{name: "to", doc: "Names of destinations.", example: "[soc]", list: texts(&r.To, none, notEmpty)}),
	}
}

func kindWords() []string {
	return []string{string(alerting.Statistical), string(alerting.KindFact), string(alerting.KindCampaign)}
}

func factWords() (words []string) {
	for _, f := range fact.Names() {
		words = append(words, string(f))
	}
	return words
}

func detectorWord(s string) error {
	known := append(append(kindWords(), alerting.Measures()...), factWords()...)
	if slices.Contains(known, s) {
		return nil
	}
	return errors.New("is no kind, measure or fact; " + suggest(s, known))
}

func weekday(s string) error {
	if slices.Contains(weekdays, s) {
		return nil
	}
	return errors.New("is no day; want one of mon, tue, wed, thu, fri, sat, sun")
}

// mailAddress is an address as it stands in a header, with or without a name.
func mailAddress(s string) error {
	if _, err := mail.ParseAddress(s); err != nil {
		return errors.New("is no mail address; want name@host, such as soc@example.com")
	}
	return nil
}

func linkTemplate(s string) error {
	if err := notEmpty(s); err != nil {
		return err
	}
	return alerting.CheckLink(s)
}

// clock is a time of day.
func clock(into *Clock) value {
	return value{
		kind: "time of day, HH:MM",
		parse: func(_ *parser, t string) error {
			const form = "is no time of day; want HH:MM, from 00:00 to 24:00"
			h, m, ok := strings.Cut(t, ":")
			hours, err := strconv.Atoi(h)
			minutes, err2 := strconv.Atoi(m)
			if !ok || err != nil || err2 != nil || len(h) != 2 || len(m) != 2 || hours < 0 || minutes < 0 || minutes > 59 || hours*60+minutes > 24*60 {
				return errors.New(form)
			}
			*into = Clock{time.Duration(hours*60+minutes) * time.Minute, true}
			return nil
		},
		show:   func() string { return into.String() },
		schema: map[string]any{"type": "string", "pattern": `^([01]\d|2[0-3]):[0-5]\d$|^24:00$`},
	}
}
