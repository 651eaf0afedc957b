package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"syscall"

	"github.com/wneessen/go-mail"
)

const (
	// maxRead bounds what is read of one connection, in bytes, certificates
	// included: the replies of a server have no bound of their own.
	maxRead = 1 << 20
	// maxQuoted bounds what an error quotes of a server, in bytes.
	maxQuoted = 300
)

// dialer makes one connection, which ends with ctx, whatever is being read or
// written.
type dialer struct {
	ctx         context.Context // of the whole attempt; go-mail's own ends once it is connected
	security    *tls.Config
	immediately bool // TLS from the first byte on
	conn        net.Conn
	stop        func() bool
}

func (d *dialer) dial(_ context.Context, network, address string) (net.Conn, error) {
	raw, err := new(net.Dialer).DialContext(d.ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.conn = raw
	d.stop = context.AfterFunc(d.ctx, func() { _ = raw.Close() })
	limited := &limitedConn{Conn: raw, left: maxRead}
	if !d.immediately {
		return limited, nil
	}
	secure := tls.Client(limited, d.security)
	return secure, secure.HandshakeContext(d.ctx)
}

// close ends the connection, also where no message got as far as to end it.
func (d *dialer) close() {
	if d.conn != nil {
		d.stop()
		_ = d.conn.Close() // it may be closed already
	}
}

// limitedConn ends after so many bytes were read.
type limitedConn struct {
	net.Conn
	left int
}

// Read reads no more than what is left.
func (c *limitedConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errors.New("the server says more than a mail server has to say")
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// code returns the server's reply code behind a fault; 0 where it is not the
// server that refuses.
func code(err error) int {
	var sending *mail.SendError
	if errors.As(err, &sending) {
		return sending.ErrorCode()
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}

// retryable reports whether a fault may pass: all but a reply of 5yz.
func retryable(err error) bool { return code(err) < 500 }

// explain says what a fault means and what to do about it.
func (e *Email) explain(ctx context.Context, err error) error {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	switch c := code(err); {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("the attempt was called off: %w", ctx.Err())
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.As(err, &unknown):
		return fmt.Errorf("the server's certificate is signed by an authority this machine does not trust; set ca_file to that authority's certificate: %w", err)
	case errors.As(err, &hostname):
		return fmt.Errorf("the server's certificate is for another host name; use the name it was issued for: %w", err)
	case errors.As(err, &invalid):
		return fmt.Errorf("the server's certificate is not valid, or this machine's clock is wrong: %w", err)
	case errors.As(err, &record):
		return errors.New("the server does not speak TLS on this port; check the port, or use encryption: starttls")
	case errors.As(err, &dns):
		return fmt.Errorf("the host name does not resolve; check its spelling and this machine's DNS: %w", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens there: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), c == 0 && errors.As(err, new(*mail.SendError)):
		return fmt.Errorf("the connection broke: %s", e.quote(err.Error()))
	case c == 535:
		return fmt.Errorf("%s; check username and password", e.quote(err.Error()))
	case c == 530:
		return fmt.Errorf("%s; set username and password", e.quote(err.Error()))
	}
	return errors.New(e.quote(err.Error()))
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
