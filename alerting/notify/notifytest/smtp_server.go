package notifytest

import (
	"crypto/tls"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Script is how a mail server behaves over one connection. Its replies have
// their code in front and no line end, such as "550 no such user".
type Script struct {
	// Replies are what the server says other than a server that is well, by verb
	// (EHLO, AUTH, MAIL, RCPT, DATA, QUIT), "" for its greeting and "." for what it
	// says to the message. Beside replies, HangUp and Mute may stand there.
	Replies map[string]string
	// TLS is the server's side; nil: it has none.
	TLS *tls.Config
	// Immediately says that TLS begins with the first byte, not by STARTTLS.
	Immediately bool
	// NoAuth says that the server knows no authentication.
	NoAuth bool
}

// What a server may do instead of a reply.
const (
	HangUp = "hang up"
	Mute   = "mute" // it says nothing and keeps the connection
)

// Mail is a message that a server took.
type Mail struct {
	Encrypted bool
	Auth      []string // the client's part of the authentication, line by line; nil for none
	From      string
	To        []string
	Data      []byte // header and body, with dots as they were meant and \n for line ends
}

// MailServer is an SMTP server that behaves by scripts: the first connection by
// the first, and so on; all further ones by the last.
type MailServer struct {
	Address string
	mu      sync.Mutex
	conns   []net.Conn
	taken   []Mail
}

// NewMailServer starts a server; it ends with the test.
func NewMailServer(t testing.TB, scripts ...Script) *MailServer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &MailServer{Address: l.Addr().String()}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for i := 0; ; i++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			script := scripts[min(i, len(scripts)-1)]
			sessions.Go(func() { s.serve(conn, script) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		for _, c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		sessions.Wait()
	})
	return s
}

// Taken returns the messages so far for which the server has said 250.
func (s *MailServer) Taken() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// Connections returns how many there were.
func (s *MailServer) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// session is one connection.
type session struct {
	Script
	text *textproto.Conn
	mail Mail
}

func (s *MailServer) serve(conn net.Conn, script Script) {
	defer conn.Close()
	c := &session{Script: script}
	if script.Immediately {
		conn = tls.Server(conn, script.TLS)
		c.mail.Encrypted = true
	}
	c.text = textproto.NewConn(conn)
	if !c.say("", "220 mail.example ESMTP") {
		return
	}
	for {
		line, err := c.text.ReadLine()
		if err != nil {
			return
		}
		verb, argument, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if verb == "STARTTLS" && c.TLS != nil {
			if !c.say(verb, "220 go ahead") {
				return
			}
			conn = tls.Server(conn, c.TLS)
			c.text, c.mail.Encrypted = textproto.NewConn(conn), true
			continue
		}
		if !c.answer(verb, argument, s) {
			return
		}
	}
}

// answer answers one command and reports whether the connection goes on.
func (c *session) answer(verb, argument string, s *MailServer) bool {
	switch verb {
	case "EHLO":
		lines := []string{"250-mail.example", "250-8BITMIME"}
		if c.TLS != nil && !c.mail.Encrypted {
			lines = append(lines, "250-STARTTLS")
		}
		if !c.NoAuth {
			lines = append(lines, "250-AUTH PLAIN LOGIN")
		}
		return c.say(verb, strings.Join(append(lines, "250 SIZE 10000000"), "\r\n"))
	case "AUTH":
		c.mail.Auth = append(c.mail.Auth, argument)
		return c.say(verb, "235 welcome")
	case "MAIL":
		c.mail.From = address(argument)
	case "RCPT":
		c.mail.To = append(c.mail.To, address(argument))
	case "DATA":
		return c.data(s)
	case "QUIT":
		c.say(verb, "221 bye")
		return false
	}
	return c.say(verb, "250 ok")
}

func (c *session) data(s *MailServer) bool {
	if reply, ok := c.Replies["DATA"]; ok && reply != "" {
		return c.say("DATA", "")
	}
	if !c.say("DATA", "354 go on") {
		return false
	}
	data, err := c.text.ReadDotBytes()
	if err != nil {
		return false
	}
	if _, other := c.Replies["."]; !other {
		c.mail.Data = data
		s.mu.Lock()
		s.taken = append(s.taken, c.mail)
		s.mu.Unlock()
		c.mail.From, c.mail.To = "", nil
	}
	return c.say(".", "250 taken")
}

// say answers as the script says, else with usual, and reports whether the
// connection goes on.
func (c *session) say(verb, usual string) bool {
	if reply, ok := c.Replies[verb]; ok {
		usual = reply
	}
	switch usual {
	case HangUp:
		return false
	case Mute:
		_, _ = io.Copy(io.Discard, c.text.R) // until the other side gives up
		return false
	}
	return c.text.PrintfLine("%s", usual) == nil
}

// address returns what stands between < and >.
func address(argument string) string {
	_, rest, _ := strings.Cut(argument, "<")
	inner, _, _ := strings.Cut(rest, ">")
	return inner
}
