package post

import (
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                                0,
		"0":                               0,
		"7":                               7 * time.Second,
		" 120":                            2 * time.Minute,
		"-5":                              0,
		"1.5":                             0,
		"soon":                            0,
		"18446744073709551615":            1 << 31 * time.Second, // must not overflow
		"Tue, 03 Mar 2026 15:01:30 GMT":   90 * time.Second,
		"Tuesday, 03-Mar-26 15:01:30 GMT": 90 * time.Second, // RFC 850, which receivers must still read
		"Tue, 03 Mar 2026 14:00:00 GMT":   0,
	} {
		if got := RetryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

// The errors of net/http quote the URL; ours must not, however deep it hides.
func TestExplain(t *testing.T) {
	const secret = "T0PS3CR3T"
	c, err := New("https://soc.example/hooks/"+secret+"?token="+secret, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, cause := range map[string]error{
		"does not resolve":  &net.DNSError{Err: "no such host", Name: "soc.example", IsNotFound: true},
		"clock is wrong":    x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired},
		"connection reset":  errors.New("connection reset"),
		"no answer in time": &net.DNSError{Err: "timeout", IsTimeout: true},
	} {
		nested := &url.Error{Op: "Post", URL: c.url.String(), Err: &url.Error{Op: "proxy", URL: c.url.String(), Err: cause}}
		got := c.explain(nested).Error()
		if !strings.Contains(got, want) || strings.Contains(got, secret) {
			t.Errorf("%v: %s", cause, got)
		}
	}
}

// What a receiver echoes of our URL is taken out of what we quote of it.
func TestQuote(t *testing.T) {
	c, err := New("https://user:pa55word@soc.example/hooks/T0PS3CR3T?token=abcdef&n=1", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"":                "",
		" \n":             "",
		"no such channel": ": no such channel",
		"POST /hooks/T0PS3CR3T?token=abcdef&n=1 failed": ": POST *** failed",
		"T0PS3CR3T, abcdef, pa55word":                   ": ***, ***, ***",
		"a\x1b[2Jb":                                     ": a?[2Jb",
	} {
		if got := c.Quote([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := c.Quote([]byte(strings.Repeat("x", 1<<20))); len(got) > maxQuoted+2 {
		t.Errorf("quotes %d bytes", len(got))
	}
}

// A page of HTML is known by its beginning; a word named text/html is none.
func TestIsPage(t *testing.T) {
	for _, c := range []struct {
		kind, answer string
		want         bool
	}{
		{"", "", false},
		{"application/json", `{"ok":true}`, false},
		{"text/html; charset=utf-8", "ok", false},
		{"text/html", "", false},
		{"text/html; charset=utf-8", " \n<div>sign in</div>", true},
		{"application/xhtml+xml", `<?xml version="1.0"?><html></html>`, true},
		{"text/xml", "<taken/>", false},
		{"text/plain", "\ufeff<!DOCTYPE HTML><title>sign in</title>", true},
		{"", "<HTML lang=ko>", true},
	} {
		if got := isPage(c.kind, []byte(c.answer)); got != c.want {
			t.Errorf("%q of %q: %v", c.answer, c.kind, got)
		}
	}
}
