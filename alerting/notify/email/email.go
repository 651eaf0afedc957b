// Package email sends alerts as e-mail over SMTP (RFC 5321), with a plain and an
// HTML part that say the same.
//
// Each alert is a message of its own. All messages of an episode refer to one
// thread (RFC 5322, References), so that mail programs show them together. The
// Message-ID follows from the alert's message id: servers that drop repeats drop
// what is sent again after a restart.
//
// The server's reply to the message decides: 250 means that it has taken
// responsibility, 4yz that the attempt may be repeated, 5yz that it may not
// (RFC 5321, section 4.2.1). A server that refuses one of several recipients gets
// no message at all.
package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
)

// How the connection is encrypted.
const (
	STARTTLS = "starttls" // from plain text to TLS by command; required, on port 587 mostly
	TLS      = "tls"      // from the first byte on, on port 465 mostly
	None     = "none"     // not at all
)

// Options of an e-mail destination.
type Options struct {
	Name       string
	Address    string           // of the server, host:port
	Encryption string           // STARTTLS (default), TLS or None
	Username   string           // empty: no authentication
	Password   string           // never shown
	From       string           // address of the sender, such as weir@example.com or "weir <weir@example.com>"
	To         []string         // addresses of the recipients
	Location   *time.Location   // of the times shown; default UTC
	TLS        *tls.Config      // nil: the system's roots
	Timeout    time.Duration    // of one message, whole; default 10 s
	Now        func() time.Time // wall clock; default time.Now
}

// Email is one list of recipients, reached by one server.
type Email struct {
	o        Options
	host     string
	port     int
	from     *netmail.Address
	to       []*netmail.Address
	security *tls.Config
}

var _ notify.Destination = (*Email)(nil)

// New returns the destination. Its errors do not quote the password.
func New(o Options) (*Email, error) {
	e := &Email{o: o}
	if err := e.open(); err != nil {
		return nil, fmt.Errorf("setting up email %s: %w", o.Name, err)
	}
	return e, nil
}

func (e *Email) open() (err error) {
	o := &e.o
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		return fmt.Errorf("reading the address: %w; want host:port", err)
	}
	if e.port, err = strconv.Atoi(port); err != nil || host == "" {
		return fmt.Errorf("reading the address: want host:port")
	}
	e.host = host
	switch o.Encryption {
	case "":
		o.Encryption = STARTTLS
	case STARTTLS, TLS, None:
	default:
		return fmt.Errorf("unknown encryption %q; want starttls, tls or none", o.Encryption)
	}
	if o.Username != "" && o.Encryption == None {
		return errors.New("a password would travel in plain text; want the encryption starttls or tls, or no username")
	}
	if e.from, err = netmail.ParseAddress(o.From); err != nil {
		return fmt.Errorf("reading the sender %q: %w", o.From, err)
	}
	if len(o.To) == 0 {
		return errors.New("it needs at least one recipient")
	}
	for _, t := range o.To {
		a, err := netmail.ParseAddress(t)
		if err != nil {
			return fmt.Errorf("reading the recipient %q: %w", t, err)
		}
		e.to = append(e.to, a)
	}
	e.security = o.TLS.Clone() // Clone of nil is nil
	if e.security == nil {
		e.security = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if e.security.ServerName == "" {
		e.security.ServerName = host
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// Name returns the destination's name.
func (e *Email) Name() string { return e.o.Name }

// Notify sends the alert to all recipients.
func (e *Email) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	return e.deliver(ctx, e.message(a))
}

// deliver sends one message, and classifies what goes wrong.
func (e *Email) deliver(ctx context.Context, m *mail.Msg) (retry bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.o.Timeout)
	defer cancel()
	if err := e.send(ctx, m); err != nil && !m.IsDelivered() { // what goes wrong after the server took it is not our concern
		return retryable(err), fmt.Errorf("mailing by %s: %w", e.o.Address, e.explain(ctx, err))
	}
	return false, nil
}

// send makes one connection and sends one message over it.
func (e *Email) send(ctx context.Context, m *mail.Msg) error {
	d := dialer{ctx: ctx, security: e.security, immediately: e.o.Encryption == TLS}
	defer d.close()
	policy := mail.NoTLS // also with TLS: then the connection is encrypted already
	if e.o.Encryption == STARTTLS {
		policy = mail.TLSMandatory
	}
	options := []mail.Option{
		mail.WithPort(e.port), mail.WithTimeout(e.o.Timeout), mail.WithTLSPolicy(policy), mail.WithTLSConfig(e.security),
		mail.WithDialContextFunc(d.dial), mail.WithoutNoop(),
	}
	if e.o.Username != "" {
		options = append(options, mail.WithUsername(e.o.Username), mail.WithPassword(e.o.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	client, err := mail.NewClient(e.host, options...)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, m)
}

// secrets are the forms in which the password travels and a server may echo it,
// the last one as go-mail quotes it.
func (e *Email) secrets() []string {
	password := e.o.Password
	if password == "" {
		return nil
	}
	return []string{encode("\x00" + e.o.Username + "\x00" + password), encode(password), password, strings.Trim(strconv.Quote(password), `"`)}
}

// quote returns what an error says on one line, without secrets.
func (e *Email) quote(text string) string {
	for _, s := range e.secrets() {
		text = strings.ReplaceAll(text, s, "***")
	}
	text, _, _ = strings.Cut(text, ", affected message ID") // which no reader needs
	return alerting.Printable(strings.ReplaceAll(text, "\n", " "), maxQuoted)
}
