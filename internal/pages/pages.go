// Package pages serves the console: on http.listen for a deployment, and on an
// address of its own for what one process holds, such as a demonstration or a
// backtest.
package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/console"
	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/follow"
	"github.com/weirhq/weir/console/model"
	"github.com/weirhq/weir/console/oidc"
	"github.com/weirhq/weir/console/tuning"
	"github.com/weirhq/weir/internal/authority"
	"github.com/weirhq/weir/internal/child"
	"github.com/weirhq/weir/internal/extract"
	"github.com/weirhq/weir/internal/webserver"
	"github.com/weirhq/weir/stream"
	"github.com/weirhq/weir/stream/correlate"
	"github.com/weirhq/weir/stream/detect"
)

// Options returns what a console shows of a configuration, whatever is behind it:
// the caller adds who judges and how the deployment does.
func Options(c *config.Config, feed *console.Feed, listen string, everyone access.Person, signIn *oidc.SignIn, log *slog.Logger) (o console.Options, err error) {
	o = console.Options{
		Feed: feed, Location: c.Time.Zone, Log: log, SignIn: signIn,
		Prepare: alerting.Preparer(alerting.LinkTemplates(c.Alerts.Links)),
	}
	for i := range c.Expected {
		x := &c.Expected[i]
		o.Expected = append(o.Expected, console.Expectation{
			Name: x.Name, Dimension: x.Dimension, Identity: x.Identity, Owner: x.Owner, Reason: x.Reason, Expires: x.Expires.In(c.Time.Zone),
		})
	}
	o.Access, err = control(c, listen, everyone, signIn)
	return o, err
}

// Names returns who sees the names of people by a configuration. secret is of the
// deployment.
func Names(c *config.Config, secret [32]byte) (n console.Names, err error) {
	n.Secret = secret[:]
	persons := detect.Persons(c.Dimensions)
	for i, d := range c.Dimensions {
		if persons[i] {
			n.Personal = append(n.Personal, d.Name)
		}
	}
	n.For, err = access.ParseRole(c.HTTP.NamesFor)
	return n, err
}

// Eraser returns what puts pseudonyms in the place of names that were erased. secret is of
// the deployment.
func Eraser(c *config.Config, secret [32]byte) (v model.Veil, err error) {
	names, err := Names(c, secret)
	return model.Veil{Personal: names.Personal, Secret: names.Secret, Location: c.Time.Zone}, err
}

// Judge returns what signs the verdicts of a console's users and writes them.
func Judge(a *authority.Authority, write authority.Writer) func(context.Context, correlate.Verdict) (correlate.Verdict, error) {
	return func(ctx context.Context, v correlate.Verdict) (correlate.Verdict, error) {
		return authority.Submit(ctx, write, v, authority.By{Author: v.Author, Proof: a.Vouch("console")})
	}
}

// extractMemory is what listing customers may take, in bytes: some 25 a customer, and
// what a client of Kafka needs.
const extractMemory = 2 << 30

// Extractor returns what lists the customers of an episode: weir extract, in a process
// of its own, on the same configuration.
func Extractor(c *config.Config) console.Extract {
	runner := &child.Runner{Memory: extractMemory}
	return func(ctx context.Context, key string, w io.Writer) (doubt string, err error) {
		last := ""
		err = runner.Run(ctx, []string{"extract", key, "-c", c.File(), "-o", "json"}, w, func(line string) { last = line })
		return extractDoubt(last, err)
	}
}

// extractDoubt says what the result of weir extract, its last line, means: a list that
// is whole but contradicts the alert is an error of the command.
func extractDoubt(last string, err error) (string, error) {
	var result extract.Result
	if err != nil && json.Unmarshal([]byte(last), &result) == nil && result.Estimate != nil && !result.Estimate.Within {
		return result.Error, nil
	}
	return "", err
}

// Tuning returns what reads a log again under other budgets of a configuration.
func Tuning(c *config.Config, log tuning.Log) *tuning.Job {
	return tuning.New(log, float64(c.Alerts.Budget))
}

// control returns who may come in by a configuration.
func control(c *config.Config, listen string, everyone access.Person, signIn *oidc.SignIn) (*access.Control, error) {
	a := access.Options{Listen: listen, Hosts: c.HTTP.Hosts, Everyone: everyone}
	if u, err := url.Parse(c.Alerts.Links.Console); err == nil && u.Hostname() != "" {
		a.Hosts = append(a.Hosts, u.Hostname()) // messages link to that name
	}
	for i := range c.HTTP.Users {
		u := &c.HTTP.Users[i]
		role, err := access.ParseRole(u.Role)
		if err != nil {
			return nil, err
		}
		a.Users = append(a.Users, access.User{Name: u.Name, Role: role, Hash: u.PasswordHash.Reveal()})
	}
	for i := range c.HTTP.Tokens {
		t := &c.HTTP.Tokens[i]
		role, err := access.ParseRole(t.Role)
		if err != nil {
			return nil, err
		}
		a.Tokens = append(a.Tokens, access.Token{Name: t.Name, Role: role, Hash: t.SHA256.Reveal()})
	}
	a.Grants = c.HTTP.Grants()
	if c.HTTP.Web != nil {
		for name, hash := range c.HTTP.Web.Users {
			a.Users = append(a.Users, access.User{Name: name, Role: access.RoleOf(a.Grants, access.Identity{Name: name}), Hash: hash})
		}
	}
	if x := &c.HTTP.Proxy; x.Header != "" {
		a.Proxy = &access.Proxy{Header: x.Header, GroupsHeader: x.GroupsHeader, From: x.Prefixes()}
	}
	if signIn != nil {
		a.Session = signIn.Session
		if u, err := url.Parse(c.HTTP.OIDC.RedirectURL); err == nil {
			a.Hosts = append(a.Hosts, u.Hostname())
		}
	}
	return access.New(a, time.Now)
}

// SignIn returns the single sign-on of a configuration, nil if there is none. key is of
// the deployment.
func SignIn(c *config.Config, key [32]byte) (*oidc.SignIn, error) {
	o := &c.HTTP.OIDC
	if o.Issuer == "" {
		return nil, nil
	}
	var groups []string
	for _, r := range c.HTTP.Roles {
		if r.Group != "" {
			groups = append(groups, r.Group)
		}
	}
	return oidc.New(oidc.Options{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), RedirectURL: o.RedirectURL, Scopes: o.Scopes,
		NameClaim: o.NameClaim, GroupsClaim: o.GroupsClaim, Groups: groups, Key: key,
	})
}

// Server is a console that is being served on an address of its own.
type Server struct {
	URL string // of the first page

	listener net.Listener
	stop     func()
}

// Listen takes an address, so that its URL is known before there is anything to
// serve.
func Listen(address string) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serving the console: %w; choose another address", err)
	}
	return &Server{URL: "http://" + webserver.Reachable(listener.Addr()) + "/", listener: listener, stop: func() { listener.Close() }}, nil
}

// Address returns the address that is listened on.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve serves a console until Stop.
func (s *Server) Serve(h *console.Server) {
	ctx, cancel := context.WithCancel(context.Background())
	server := webserver.New(h, webserver.Defaults())
	server.BaseContext = func(net.Listener) context.Context { return ctx } // the pages' streams end when it stops
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s.listener) }()
	s.stop = func() {
		cancel()
		_ = server.Close() // nothing is kept
		<-ended
		_ = h.Close() // nothing is kept
	}
}

// Stop ends the serving.
func (s *Server) Stop() { s.stop() }

// Memory is a picture of what one process says, without Kafka. It is safe for concurrent
// use.
type Memory struct {
	*Server
	feed *console.Feed

	mu   sync.Mutex
	fold *model.Fold
	at   time.Time // wall clock of the last snapshot
}

// ServeMemory serves what the methods of the Memory returned take in. Nobody can
// judge it; who sees it may read the log again under other budgets, unless that is nil.
func ServeMemory(c *config.Config, address, name string, log tuning.Log, logger *slog.Logger) (*Memory, error) {
	s, err := Listen(address)
	if err != nil {
		return nil, err
	}
	m := &Memory{Server: s, feed: console.NewFeed(), fold: model.NewFold()}
	o, err := Options(c, m.feed, s.Address(), access.Person{Role: access.Analyst}, nil, logger)
	if err == nil {
		o.Name = name
		if log != nil {
			o.Tuning = Tuning(c, log)
		}
		var h *console.Server
		if h, err = console.New(o); err == nil {
			s.Serve(h)
			return m, nil
		}
	}
	s.Stop()
	return nil, err
}

// Alert takes in an alert that was sent.
func (m *Memory) Alert(a *alerting.Alert) {
	own := *a
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fold.Alert(&own)
}

// Suppressed takes in an alert that was held back.
func (m *Memory) Suppressed(s *correlate.Suppressed) {
	own := *s
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fold.Suppressed(&own)
}

// Reported takes in what detect reports of the dimensions.
func (m *Memory) Reported(dimensions []string, r *stream.EvidenceReport) {
	m.mu.Lock()
	defer m.mu.Unlock()
	follow.Counted(m.fold, dimensions, r)
}

// Learned takes in what all learn of the fleet.
func (m *Memory) Learned(dimensions []string, p *stream.ParameterRecord) {
	levels := follow.Levels(dimensions, p.Parameters)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fold.Peers(levels)
}

// Show publishes what was taken in, at most each second unless it is the last;
// judged is how far, in event time.
func (m *Memory) Show(judged alerting.Time, last bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !last && time.Since(m.at) < time.Second {
		return
	}
	m.at = time.Now()
	m.fold.Judged(judged)
	m.feed.Publish(m.fold.Snapshot(), last)
}
