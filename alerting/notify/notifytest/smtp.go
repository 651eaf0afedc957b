package notifytest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
)

// MailSetup is what a destination under test is built from that speaks SMTP.
type MailSetup struct {
	Address    string
	Encryption string         // starttls, tls or none
	Roots      *x509.CertPool // to trust; nil: the system's
	Username   string         // empty: no authentication
	Password   string         // Secret, which no error may hold
	Timeout    time.Duration  // of one attempt
	Now        func() time.Time
}

func mailSetup(address, encryption string) MailSetup {
	return MailSetup{Address: address, Encryption: encryption, Timeout: time.Minute, Now: func() time.Time { return Now }}
}

// SMTP runs the suite for destinations that speak SMTP: the same faults as Suite
// has for HTTP.
func SMTP(t *testing.T, build func(t *testing.T, s MailSetup) notify.Destination) {
	reply := func(verb, text string) Script { return Script{Replies: map[string]string{verb: text}} }
	const echo = " no luck\x1b[2J"
	for name, c := range map[string]struct {
		scripts []Script
		want    []attempt
	}{
		"well":             {[]Script{{}}, []attempt{taken, taken}},
		"busy, then well":  {[]Script{reply("", "421 too many connections"), reply("MAIL", "451 later"), {}}, []attempt{{retry: true, says: "421"}, {retry: true, says: "451"}, taken}},
		"no room":          {[]Script{reply("MAIL", "452 no room")}, []attempt{{retry: true, says: "452"}}},
		"greylisted":       {[]Script{reply("RCPT", "450 4.2.0 greylisted")}, []attempt{{retry: true, says: "greylisted"}}},
		"late doubt":       {[]Script{reply(".", "451 4.3.0 the filter is down")}, []attempt{{retry: true, says: "the filter is down"}}},
		"no service":       {[]Script{reply("", "554 no mail here")}, []attempt{{says: "554"}}},
		"no such sender":   {[]Script{reply("MAIL", "550 5.7.1 not from you")}, []attempt{{says: "not from you"}}},
		"no such user":     {[]Script{reply("RCPT", "550 5.1.1 no such user"+echo)}, []attempt{{says: "no such user"}}},
		"no message":       {[]Script{reply("DATA", "554 5.5.1 no valid recipients")}, []attempt{{says: "no valid recipients"}}},
		"taken for spam":   {[]Script{reply(".", "550 5.7.1 spam"+echo)}, []attempt{{says: "spam"}}},
		"bad at goodbyes":  {[]Script{reply("QUIT", HangUp)}, []attempt{taken}},
		"hangs up":         {[]Script{reply("", HangUp), reply("EHLO", HangUp), reply("RCPT", HangUp), reply(".", HangUp), {}}, []attempt{{retry: true, says: "the connection broke"}, {retry: true, says: "the connection broke"}, {retry: true, says: "the connection broke"}, {retry: true, says: "the connection broke"}, taken}},
		"endless greeting": {[]Script{reply("", "220-"+strings.Repeat("x", 4<<20))}, []attempt{{retry: true, says: "more than a mail server has to say"}}},
		"no mail server":   {[]Script{reply("", "HTTP/1.1 400 Bad Request")}, []attempt{{retry: true, says: "HTTP/1.1 400"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewMailServer(t, c.scripts...)
			d := build(t, mailSetup(s.Address, "none"))
			if d.Name() == "" {
				t.Error("the destination has no name")
			}
			messages := 0
			for _, want := range c.want {
				check(t, d, want)
				if want == taken {
					messages++
				}
			}
			if got := len(s.Taken()); got != messages || s.Connections() != len(c.want) {
				t.Errorf("%d messages taken, want %d; %d connections, want %d", got, messages, s.Connections(), len(c.want))
			}
		})
	}
	for _, verb := range [...]string{"", "EHLO", "RCPT", "."} {
		t.Run("silent at "+verb, func(t *testing.T) {
			setup := mailSetup(NewMailServer(t, reply(verb, Mute)).Address, "none")
			setup.Timeout = 50 * time.Millisecond // how long makes no difference, only that it ends
			check(t, build(t, setup), attempt{retry: true, says: "no answer in time"})
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		l := httptest.NewServer(nil)
		l.Close()
		check(t, build(t, mailSetup(l.Listener.Addr().String(), "none")), attempt{retry: true, says: "nobody listens"})
	})
	t.Run("called off", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := build(t, mailSetup(NewMailServer(t, reply("", Mute)).Address, "none")).Notify(ctx, alertingtest.Alert())
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	t.Run("encrypted", func(t *testing.T) { mailTLS(t, build) })
	t.Run("authenticated", func(t *testing.T) { mailAuth(t, build) })
	t.Run("says all there is to say", func(t *testing.T) {
		for name, a := range alertingtest.Alerts() {
			s := NewMailServer(t, Script{})
			if retry, err := build(t, mailSetup(s.Address, "none")).Notify(t.Context(), a); err != nil {
				t.Errorf("%s: retry %v, %v", name, retry, err)
			}
			for _, m := range s.Taken() {
				for line := range strings.SplitSeq(string(m.Data), "\n") {
					if len(line) > 998 || !utf8.ValidString(line) {
						t.Errorf("%s: a line of %d bytes, valid UTF-8: %v", name, len(line), utf8.ValidString(line))
					}
				}
			}
		}
	})
}

func mailTLS(t *testing.T, build func(t *testing.T, s MailSetup) notify.Destination) {
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	config := &tls.Config{Certificates: server.TLS.Certificates}
	for _, c := range []struct {
		name, encryption string
		script           Script
		roots            *x509.CertPool
		host             string
		want             attempt
	}{
		{"starttls", "starttls", Script{TLS: config}, pool, "", taken},
		{"tls", "tls", Script{TLS: config, Immediately: true}, pool, "", taken},
		{"starttls, a stranger", "starttls", Script{TLS: config}, nil, "", attempt{retry: true, says: "set ca_file"}},
		{"tls, a stranger", "tls", Script{TLS: config, Immediately: true}, nil, "", attempt{retry: true, says: "set ca_file"}},
		{"starttls, another name", "starttls", Script{TLS: config}, pool, "localhost", attempt{retry: true, says: "another host name"}},
		{"tls, another name", "tls", Script{TLS: config, Immediately: true}, pool, "localhost", attempt{retry: true, says: "another host name"}},
		// Somebody on the way may have taken the offer out: nothing goes in plain text.
		{"starttls not offered", "starttls", Script{}, pool, "", attempt{retry: true, says: "STARTTLS"}},
		{"starttls refused", "starttls", Script{TLS: config, Replies: map[string]string{"STARTTLS": "454 not now"}}, pool, "", attempt{retry: true, says: "454"}},
		{"tls to plain text", "tls", Script{}, pool, "", attempt{retry: true, says: "does not speak TLS"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewMailServer(t, c.script)
			setup := mailSetup(s.Address, c.encryption)
			if setup.Roots = c.roots; c.host != "" {
				setup.Address = strings.Replace(setup.Address, "127.0.0.1", c.host, 1)
			}
			check(t, build(t, setup), c.want)
			for _, m := range s.Taken() {
				if !m.Encrypted {
					t.Error("the message went in plain text")
				}
			}
			if got := len(s.Taken()); (got == 1) != (c.want == taken) {
				t.Errorf("%d messages", got)
			}
		})
	}
}

func mailAuth(t *testing.T, build func(t *testing.T, s MailSetup) notify.Destination) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	config := &tls.Config{Certificates: server.TLS.Certificates}
	refuse := func(verb, text string) Script { return Script{TLS: config, Replies: map[string]string{verb: text}} }
	for name, c := range map[string]struct {
		script Script
		want   attempt
	}{
		"welcome":           {Script{TLS: config}, taken},
		"wrong password":    {refuse("AUTH", "535 5.7.8 bad credentials "+Secret), attempt{says: "check username and password"}},
		"refused later":     {refuse("RCPT", "550 5.1.1 not for "+Secret), attempt{says: "not for ***"}},
		"directory is down": {refuse("AUTH", "454 4.7.0 later"), attempt{retry: true, says: "454"}},
		"none offered":      {Script{TLS: config, NoAuth: true}, attempt{retry: true, says: "AUTH"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewMailServer(t, c.script)
			setup := mailSetup(s.Address, "starttls")
			setup.Roots, setup.Username, setup.Password = pool, "weir", Secret
			check(t, build(t, setup), c.want)
			for _, m := range s.Taken() {
				if !m.Encrypted || len(m.Auth) == 0 {
					t.Errorf("encrypted %v, authentication %q", m.Encrypted, m.Auth)
				}
			}
		})
	}
}
