package config

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"github.com/weirhq/weir/event"
)

// destinationKeys says which types use a key; what is not here, all use.
var destinationKeys = []struct {
	key   string
	types []string
}{
	{"format", []string{Stdout}},
	{"url", []string{Webhook, Slack, Alertmanager, Teams}},
	{"secret", []string{Webhook}},
	{"token", []string{Slack, Alertmanager}},
	{"channel", []string{Slack}},
	{"signing_secret", []string{Slack}},
	{"users", []string{Slack}},
	{"routing_key", []string{PagerDuty}},
	{"api", []string{Slack, PagerDuty}},
	{"username", []string{Alertmanager, Email}},
	{"password", []string{Alertmanager, Email}},
	{"resend", []string{Alertmanager}},
	{"topic", []string{KafkaTopic}},
	{"network", []string{Syslog}},
	{"address", []string{Syslog, Email}},
	{"facility", []string{Syslog}},
	{"encryption", []string{Email}},
	{"from", []string{Email}},
	{"to", []string{Email}},
	{"ca_file", []string{Webhook, Slack, PagerDuty, Alertmanager, Syslog, Email, Teams}},
	{"per_minute", []string{Webhook, Slack, PagerDuty, Alertmanager, KafkaTopic, Syslog, Email, Teams}},
}

// destinationNeeds says what a type cannot do without.
var destinationNeeds = map[string][]string{
	Webhook: {"url", "secret"}, PagerDuty: {"routing_key"}, Alertmanager: {"url"}, KafkaTopic: {"topic"}, Syslog: {"address"},
	Email: {"address", "from", "to"}, Teams: {"url"},
}

func (p *parser) checkDestinations(c *Config) {
	ds := c.Alerts.Destinations
	first := map[string]int{}
	for i := range ds {
		d, at := &ds[i], itemPath("alerts.destinations", i)
		if j, ok := first[d.Name]; ok && d.Name != "" {
			p.faultAt(at+".name", "%s is the name of a destination already, on line %d; want another", d.Name, nearestLine(p.lines, itemPath("alerts.destinations", j)+".name"))
		} else {
			first[d.Name] = i
		}
		if d.Type == "" {
			continue // its own fault is enough
		}
		for _, k := range destinationKeys {
			if p.given(at, k.key) && !slices.Contains(k.types, d.Type) {
				p.faultAt(p.which(at+"."+k.key), "is not used by %s; leave it out (it is for %s)", d.Type, strings.Join(k.types, ", "))
			}
		}
		for _, key := range destinationNeeds[d.Type] {
			if !p.given(at, key) {
				p.faultAt(at, "%s needs %s", d.Type, p.orFile(key))
			}
		}
		p.checkSlack(d, at)
		p.checkRest(d, at)
		p.checkTopic(c, d, at)
	}
}

// checkTopic keeps findings out of what weir reads.
func (p *parser) checkTopic(c *Config, d *Destination, at string) {
	switch {
	case d.Topic == "":
	case slices.ContainsFunc(c.Sources, func(s Source) bool { return s.Topic == d.Topic }):
		p.faultAt(at+".topic", "%s is a source, which weir would then read its own findings from; want another", d.Topic)
	case c.TopicPrefix != "" && strings.HasPrefix(d.Topic, c.TopicPrefix):
		p.faultAt(at+".topic", "%s begins with %s, the prefix of weir's own topics; want another", d.Topic, c.TopicPrefix)
	}
}

// given reports whether a key of a destination, or its *_file, was set.
func (p *parser) given(at, key string) bool {
	return p.set(at+"."+key) || p.set(at+"."+key+"_file")
}

// orFile names a key and, where it is a secret, its alternative.
func (p *parser) orFile(key string) string {
	switch key {
	case "url", "secret", "routing_key":
		return key + " or " + key + "_file"
	}
	return key
}

func (p *parser) checkSlack(d *Destination, at string) {
	if d.Type != Slack {
		return
	}
	url, token := p.given(at, "url"), p.given(at, "token")
	switch {
	case url && token:
		p.faultAt(p.which(at+".token"), "stands beside the url of an incoming webhook; keep one of them (a bot's token can do more: it changes messages in place)")
	case !url && !token:
		p.faultAt(at, "slack needs token and channel of a bot, or url of an incoming webhook")
	case token && !p.given(at, "channel"):
		p.faultAt(p.which(at+".token"), "needs a channel to post to; set channel, best by its id, such as C024BE91L")
	case url:
		for _, key := range [...]string{"channel", "signing_secret", "api"} {
			if p.given(at, key) {
				p.faultAt(p.which(at+"."+key), "goes with a bot's token; an incoming webhook has its own channel and no buttons")
			}
		}
	}
}

// minSigningSecret is the least length of a signing secret; Slack's have 32.
const minSigningSecret = 16

func (p *parser) checkRest(d *Destination, at string) {
	if p.given(at, "password") != p.given(at, "username") && (d.Type == Alertmanager || d.Type == Email) {
		have, lack := "username", "password"
		if p.given(at, lack) {
			have, lack = lack, have
		}
		p.faultAt(p.which(at+"."+have), "stands alone; set %s too", lack)
	}
	if d.Type == Alertmanager && p.given(at, "username") && p.given(at, "token") {
		p.faultAt(p.which(at+".token"), "stands beside a username; keep one of them")
	}
	if p.given(at, "ca_file") && d.Type == Syslog && d.Network != "tls" {
		p.faultAt(at+".ca_file", "has no effect without network: tls")
	}
	if d.Type == Email {
		p.checkEmail(d, at)
	}
	if d.Type == Slack && d.SigningSecret.IsSet() && len(d.SigningSecret.Reveal()) < minSigningSecret {
		p.faultAt(p.which(at+".signing_secret"), "is too short; copy the Signing Secret from the app's Basic Information")
	}
	if d.Type == Slack && d.SigningSecret.IsSet() != (len(d.Users) > 0) {
		p.faultAt(at+".users", "goes with signing_secret: it names the people whose clicks on buttons count")
	}
	q := at + ".quiet"
	if d.Quiet.From.set != d.Quiet.To.set {
		have, lack := "from", "to"
		if d.Quiet.To.set {
			have, lack = lack, have
		}
		p.faultAt(q+"."+have, "stands alone; set quiet.%s too", lack)
	}
	if d.Quiet.IsSet() && d.Quiet.From.since == d.Quiet.To.since {
		p.faultAt(q+".to", "is when they begin, so it would always be quiet; want another time (a whole day is 00:00 to 24:00)")
	}
}

func (p *parser) checkEmail(d *Destination, at string) {
	if p.given(at, "to") && len(d.To) == 0 {
		p.faultAt(at+".to", "names no recipient; want at least one")
	}
	if d.Encryption != "none" {
		return
	}
	if p.given(at, "ca_file") {
		p.faultAt(at+".ca_file", "has no effect with encryption: none")
	}
	if p.given(at, "username") {
		p.faultAt(at+".username", "has a password that would travel in plain text; want encryption: starttls or tls, or no username")
	}
}

// checkRoutes holds routes against what they name.
func (p *parser) checkRoutes(c *Config) {
	a := &c.Alerts
	var names []string
	for i := range a.Destinations {
		names = append(names, a.Destinations[i].Name)
	}
	known := func(path string, to []string) {
		for i, name := range to {
			if !slices.Contains(names, name) {
				p.faultAt(itemPath(path, i), "%s is no destination; %s", name, suggest(name, names))
			}
		}
	}
	for i := range a.Routes {
		r, at := &a.Routes[i], itemPath("alerts.routes", i)
		known(at+".to", r.To)
		if p.set(at+".to") && len(r.To) == 0 {
			p.faultAt(at+".to", "names no destination; want at least one")
		}
		for j, name := range r.Dimensions {
			if name != alerting.CampaignDimension && !slices.ContainsFunc(c.Dimensions, func(d event.Dimension) bool { return d.Name == name }) {
				p.faultAt(itemPath(at+".dimensions", j), "%s is no dimension; %s", name, suggest(name, dimensionNames(c)))
			}
		}
	}
	known("alerts.default_route", a.DefaultRoute)
}

func dimensionNames(c *Config) []string {
	names := []string{alerting.CampaignDimension}
	for _, d := range c.Dimensions {
		names = append(names, d.Name)
	}
	return names
}

// routeWarnings tells which destinations no alert can reach, and that some
// alerts may go nowhere.
func (c *Config) routeWarnings(add func(path, text string)) {
	a := &c.Alerts
	if len(a.Routes) == 0 && len(a.DefaultRoute) == 0 {
		return
	}
	to, all := slices.Clone(a.DefaultRoute), len(a.DefaultRoute) > 0
	for i := range a.Routes {
		r := &a.Routes[i]
		to = append(to, r.To...)
		all = all || (r.Severity == "" || r.Severity == episode.Low.String()) && len(r.Dimensions)+len(r.Detectors) == 0
	}
	for i := range a.Destinations {
		if !slices.Contains(to, a.Destinations[i].Name) {
			add(itemPath("alerts.destinations", i)+".name", "no route names "+a.Destinations[i].Name+", so it gets no alert; add it to a route or to default_route")
		}
	}
	if !all {
		add("alerts.routes", "an alert that no route matches is sent nowhere; set default_route")
	}
}
