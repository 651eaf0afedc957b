package syslog

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"io"
	"net"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

var rewrite = flag.Bool("rewrite", false, "write what is found to testdata")

// listen starts a receiver that hands each connection to serve.
func listen(t *testing.T, config *tls.Config, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

// keep returns a server that reads octet-counted messages into the channel.
func keep(got chan<- string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReader(c)
		for {
			size, err := r.ReadString(' ')
			if err != nil {
				return
			}
			n, err := strconv.Atoi(strings.TrimSpace(size))
			if err != nil {
				return
			}
			b := make([]byte, n)
			if _, err := io.ReadFull(r, b); err != nil {
				return
			}
			got <- string(b)
		}
	}
}

func open(t *testing.T, o Options) *Syslog {
	t.Helper()
	if o.Name == "" {
		o.Name = "siem"
	}
	o.Hostname, o.Version = "weir-0", "1.2.3"
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var form = regexp.MustCompile(`^<\d{1,3}>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z weir-0 weir - alert_(open|update|close) - CEF:0\|weir\|weir\|1\.2\.3\|`)

// Over every network the same message arrives, whole, whatever it says.
func TestArrives(t *testing.T) {
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 2)
			tcp := open(t, Options{Network: TCP, Address: listen(t, nil, keep(got))})
			secure := open(t, Options{Network: TLS, Address: listen(t, server.TLS, keep(got)), TLS: &tls.Config{RootCAs: roots}})
			for _, s := range []*Syslog{tcp, secure} {
				if _, err := s.Notify(t.Context(), a); err != nil {
					t.Fatal(err)
				}
				if m := <-got; m != s.format(a) || !form.MatchString(m) || len(m) > maxStream || !utf8.ValidString(m) || strings.ContainsAny(m, "\n\x1b") {
					t.Errorf("over %s: %q", s.o.Network, m)
				}
			}
		})
	}
}

// All are named whom an alert names, over streams and in datagrams.
func TestNames(t *testing.T) {
	t.Run("stream", func(t *testing.T) {
		notifytest.Content(t, func(t *testing.T) (notify.Destination, func() string) {
			got := make(chan string, 500)
			return open(t, Options{Network: TCP, Address: listen(t, nil, keep(got))}), func() string {
				var all strings.Builder // each message has been read when its delivery returns
				for {
					select {
					case m := <-got:
						all.WriteString(m)
					default:
						return all.String()
					}
				}
			}
		})
	})
	t.Run("datagrams", func(t *testing.T) {
		s := open(t, Options{Network: UDP, Address: "127.0.0.1:1"})
		for _, filler := range []string{"", strings.Repeat(`\`, 100)} {
			a, all := alertingtest.Many(30, filler), ""
			for i, last := 0, false; !last; i++ {
				var part *alerting.Alert
				part, last = a.Part(i, s.NamesRoom())
				all += s.format(part)
			}
			for i := range 30 {
				if !strings.Contains(all, alertingtest.NameOf(i)) {
					t.Errorf("member %d is not named", i)
				}
			}
		}
	})
}

func TestDatagrams(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := open(t, Options{Network: UDP, Address: l.LocalAddr().String()})
	for name, a := range alertingtest.Alerts() {
		if _, err := s.Notify(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1<<16)
		n, _, err := l.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		if m := string(b[:n]); !form.MatchString(m) || n > maxDatagram || !utf8.ValidString(m) {
			t.Errorf("%s: %d bytes %q", name, n, m)
		}
	}
}

// What goes wrong may pass, is told, and says what to do.
func TestFaults(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	reset := func(c net.Conn) {
		_ = c.(*net.TCPConn).SetLinger(0)
		_, _ = c.Read(make([]byte, 1))
		_ = c.Close()
	}
	silent := func(c net.Conn) { t.Cleanup(func() { c.Close() }) }
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	secure := listen(t, server.TLS, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"nobody there":         {Options{Network: TCP, Address: closed.Addr().String()}, "nobody listens"},
		"hangs up":             {Options{Network: TCP, Address: listen(t, nil, reset)}, "hung up"},
		"silent handshake":     {Options{Network: TLS, Address: listen(t, nil, silent), Timeout: 50 * time.Millisecond}, "no connection in time"},
		"signed by a stranger": {Options{Network: TLS, Address: secure}, "set ca_file"},
		"for another name":     {Options{Network: TLS, Address: strings.Replace(secure, "127.0.0.1", "localhost", 1), TLS: &tls.Config{RootCAs: roots}}, "another host name"},
		"not TLS at all": {Options{Network: TLS, Address: listen(t, nil, func(c net.Conn) { _, _ = io.WriteString(c, "220 mail\r\n"); c.Close() })},
			"does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			retry, err := open(t, c.o).Notify(t.Context(), alertingtest.Full())
			if !retry || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("retry %v, %v; want an error with %q", retry, err, c.want)
			}
		})
	}
	t.Run("called off", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := open(t, Options{Network: TCP, Address: listen(t, nil, silent)}).Notify(ctx, alertingtest.Full())
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("says nothing and keeps the connection", func(t *testing.T) {
		if _, err := open(t, Options{Network: TCP, Address: listen(t, nil, silent)}).Notify(t.Context(), alertingtest.Full()); err != nil {
			t.Error(err)
		}
	})
}

// unescape reads a line of CEF back: its seven header fields and its extension.
func unescape(t interface{ Fatalf(string, ...any) }, line string) (header []string, fields map[string]string) {
	var field strings.Builder
	i := 0
	for ; i < len(line) && len(header) < 7; i++ {
		switch line[i] {
		case '\\':
			if i++; i >= len(line) || line[i] != '\\' && line[i] != '|' {
				t.Fatalf("a stray backslash in the header of %q", line)
			}
			field.WriteByte(line[i])
		case '|':
			header = append(header, field.String())
			field.Reset()
		default:
			field.WriteByte(line[i])
		}
	}
	fields = map[string]string{}
	// A key begins after a space and ends at a = that is not escaped.
	key := regexp.MustCompile(`(?:^| )([A-Za-z0-9]+)=`)
	rest := line[i:]
	at := key.FindAllStringSubmatchIndex(rest, -1)
	for j, m := range at {
		end := len(rest)
		if j+1 < len(at) {
			end = at[j+1][0]
		}
		value := rest[m[1]:end]
		for k := 0; k < len(value); k++ {
			if value[k] == '=' {
				t.Fatalf("a bare = in %q", value)
			}
			if value[k] == '\\' {
				k++
			}
		}
		fields[rest[m[2]:m[3]]] = strings.NewReplacer(`\\`, `\`, `\=`, `=`).Replace(value)
	}
	return header, fields
}

// No identity can end a field or make one up.
func TestEscaping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := alertingtest.Alert()
		a.Dimension = "user"
		a.Identity = rapid.StringOfN(rapid.RuneFrom([]rune(`a|=\ 가"`+"\n")), 1, 40, -1).Draw(t, "identity")
		a.Measure = rapid.StringOfN(rapid.RuneFrom([]rune(`a|=\ `)), 1, 10, -1).Draw(t, "measure")
		header, fields := unescape(t, cef(a, "1", nil, maxStream))
		identity := alerting.Printable(a.Identity, 1000)
		if len(header) != 7 || header[4] != a.Measure || !strings.Contains(header[5], identity) || header[6] != "8" {
			t.Fatalf("header %q", header)
		}
		if fields["suser"] != identity || fields["cs2"] != identity || fields["externalId"] != a.DedupKey {
			t.Fatalf("fields %q", fields)
		}
	})
}

func TestGolden(t *testing.T) {
	s := open(t, Options{Network: TCP, Address: "x:1"})
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".txt", []byte(s.format(a)))
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"network":  {Options{Network: "sctp", Address: "x:1"}, "udp, tcp or tls"},
		"address":  {Options{Network: TCP, Address: "x"}, "host:port"},
		"facility": {Options{Network: TCP, Address: "x:1", Facility: 24}, "0 to 23"},
	} {
		if _, err := New(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPriority(t *testing.T) {
	s := open(t, Options{Network: TCP, Address: "x:1", Facility: 16})
	a := alertingtest.Fact()
	for status, want := range map[alerting.Status]string{alerting.Open: "<130>1 ", alerting.Close: "<134>1 "} {
		if a.Status = status; !strings.HasPrefix(s.format(a), want) {
			t.Errorf("%s: %s", status, s.format(a)[:10])
		}
	}
}
