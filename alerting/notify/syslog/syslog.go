// Package syslog sends alerts as syslog messages (RFC 5424) whose text is CEF,
// which most SIEMs read.
//
// Over TCP (RFC 6587) and TLS (RFC 5425) a message begins with its length in
// octets. Syslog has no answers, so the sender cannot know that a message was
// stored, only that it was read: each message has a connection of its own, whose
// sending side is closed after it. A receiver that closes its side has read all;
// a reset says that it has not. A receiver that keeps the connection open is
// taken to have read all after a second. Over UDP (RFC 5426) nothing can be known
// and messages may be lost; use it inside one host only.
package syslog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/detectors/episode"
)

// The networks.
const (
	UDP = "udp"
	TCP = "tcp"
	TLS = "tls"
)

// Options of a syslog destination.
type Options struct {
	Name     string
	Network  string         // UDP, TCP or TLS
	Address  string         // host:port
	Hostname string         // of this machine, as it stands in messages; default "-"
	Version  string         // of weir, as it stands in messages
	Facility int            // 1 to 23; 0 means the default, 13, log audit
	Location *time.Location // of the times in texts; default UTC
	TLS      *tls.Config    // for Network TLS; nil: the system's roots
	Timeout  time.Duration  // of one message; default 10 s
}

// Syslog is one receiver.
type Syslog struct{ o Options }

var _ notify.Parted = (*Syslog)(nil)

const logAudit = 13

// The largest messages, in bytes: the sizes that a receiver should take by RFC
// 5426 and RFC 5425 (it must take 480 and 2,048).
const (
	maxDatagram = 2048
	maxStream   = 8192
)

// closeWait is how long the receiver's close is waited for.
const closeWait = time.Second

// New returns the destination.
func New(o Options) (*Syslog, error) {
	fail := func(err error) (*Syslog, error) { return nil, fmt.Errorf("setting up syslog %s: %w", o.Name, err) }
	if o.Network != UDP && o.Network != TCP && o.Network != TLS {
		return fail(fmt.Errorf("unknown network %q; want udp, tcp or tls", o.Network))
	}
	if _, _, err := net.SplitHostPort(o.Address); err != nil {
		return fail(fmt.Errorf("reading the address: %w; want host:port", err))
	}
	if o.Facility == 0 {
		o.Facility = logAudit
	}
	if o.Facility < 0 || o.Facility > 23 {
		return fail(fmt.Errorf("facility %d is not one of 0 to 23", o.Facility))
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	return &Syslog{o}, nil
}

// Name returns the destination's name.
func (s *Syslog) Name() string { return s.o.Name }

// Notify sends the alert. Every fault may pass: there is no refusal in syslog.
func (s *Syslog) Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error) {
	return s.deliver(ctx, s.format(a))
}

// Beat sends the heartbeat: informational, or a warning where something must be mended.
func (s *Syslog) Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error) {
	return s.deliver(ctx, s.formatHeartbeat(h))
}

// deliver sends one message.
func (s *Syslog) deliver(ctx context.Context, text string) (retry bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	if err := s.send(ctx, text); err != nil {
		return true, fmt.Errorf("sending to %s: %w", s.o.Address, explain(err))
	}
	return false, nil
}

// Severities of syslog (RFC 5424) that heartbeats have, and the end of an episode.
const warning, informational = 4, 6

// priorities maps severities to those of syslog; a close is informational.
var priorities = map[episode.Severity]int{episode.Critical: 2, episode.High: 3, episode.Medium: 4, episode.Low: 5}

// format returns the message without the length that precedes it on a stream.
func (s *Syslog) format(a *alerting.Alert) string {
	severity := priorities[a.Severity]
	if a.Status == alerting.Close {
		severity = informational
	}
	header := s.header(severity, a.Time, "alert_"+string(a.Status))
	return header + cef(a, s.o.Version, s.o.Location, s.limit()-len(header))
}

func (s *Syslog) formatHeartbeat(h *alerting.Heartbeat) string {
	severity := informational
	if !h.Sound() {
		severity = warning
	}
	header := s.header(severity, h.Time, alerting.HeartbeatType)
	return header + heartbeatCEF(h, s.o.Version, s.o.Location, s.limit()-len(header))
}

// header returns what stands before the text of a message of a kind.
func (s *Syslog) header(severity int, at alerting.Time, kind string) string {
	return fmt.Sprintf("<%d>1 %s %s weir - %s - ", s.o.Facility*8+severity, at, word(s.o.Hostname, 255), word(kind, 32))
}

// limit is how long a message may be, in bytes.
func (s *Syslog) limit() int {
	if s.o.Network == UDP {
		return maxDatagram
	}
	return maxStream
}

// NamesRoom is for how many bytes of names a message has room.
func (s *Syslog) NamesRoom() int {
	if s.o.Network == UDP {
		return 300
	}
	return 900
}

// word returns s as a field of the header: printable ASCII without spaces, "-" for
// nothing.
func word(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return '_'
		}
		return r
	}, s[:min(len(s), limit)])
	if s == "" {
		return "-"
	}
	return s
}

// send sends one message over a connection of its own.
func (s *Syslog) send(ctx context.Context, text string) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // when ctx ends, nothing waits any longer
	defer stop()
	if s.o.Network != UDP {
		text = strconv.Itoa(len(text)) + " " + text
	}
	if _, err := io.WriteString(conn, text); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	return errors.Join(ctx.Err(), finish(conn))
}

func (s *Syslog) dial(ctx context.Context) (net.Conn, error) {
	if s.o.Network == TLS {
		d := tls.Dialer{Config: s.o.TLS.Clone()} // Clone of nil is nil; the name to check comes from the address
		return d.DialContext(ctx, "tcp", s.o.Address)
	}
	var d net.Dialer
	return d.DialContext(ctx, s.o.Network, s.o.Address)
}

// finish closes the sending side and waits for the receiver to close its own.
func finish(conn net.Conn) error {
	c, ok := conn.(interface{ CloseWrite() error })
	if !ok {
		return nil // UDP
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(closeWait)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, io.LimitReader(conn, 1<<16)) // a receiver should send nothing; if it does, it is not read
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// explain says what a fault of the network means and what to do about it.
func explain(err error) error {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.Canceled):
		return fmt.Errorf("no connection in time; check the address and the firewalls between: %w", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens there: %w", err)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ENOTCONN):
		return fmt.Errorf("the receiver hung up before it had read all: %w", err)
	case errors.As(err, &unknown):
		return fmt.Errorf("the receiver's certificate is signed by an authority this machine does not trust; set ca_file to that authority's certificate: %w", err)
	case errors.As(err, &hostname):
		return fmt.Errorf("the receiver's certificate is for another host name; use the name it was issued for: %w", err)
	case errors.As(err, &record):
		return errors.New("the receiver does not speak TLS on this port; check the port, or use network: tcp")
	}
	return err
}
