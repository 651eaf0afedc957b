// Package post holds what destinations that speak HTTP share: a client that
// follows no redirect, one classification of answers (taken, to be tried again,
// refused), bounded reading, and errors that never quote the URL.
package post

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
)

const (
	// maxAnswer bounds what is read of an answer, so that its connection can
	// be used again; a longer one costs the connection.
	maxAnswer = 64 << 10
	// maxQuoted bounds what an error quotes of an answer, in bytes.
	maxQuoted = 160
	// UserAgent names weir to receivers.
	UserAgent = "weir (+https://github.com/weirhq/weir)"
)

// Client posts to one URL. It is safe for concurrent use.
type Client struct {
	url     *url.URL
	http    *http.Client
	now     func() time.Time
	private []string // secrets beside those in the URL
}

// Options of a Client; the zero value is ready to use.
type Options struct {
	TLS     *tls.Config      // nil: the system's roots
	Timeout time.Duration    // of one attempt, whole; default 10 s
	Now     func() time.Time // default time.Now
	Secrets []string         // what requests carry and errors must not quote, though the receiver may echo it
}

// New returns a Client of the URL, which must be absolute, http or https. The
// error never quotes the URL, which may hold a secret.
func New(rawURL string, o Options) (*Client, error) {
	u, err := ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS.Clone() // Clone of nil is nil
	transport.MaxIdleConnsPerHost = 2
	transport.MaxResponseHeaderBytes = 64 << 10
	return &Client{url: u, now: o.Now, private: o.Secrets, http: &http.Client{
		Transport: transport,
		Timeout:   o.Timeout,
		// A redirect would carry a signed message to an address that nobody
		// configured, and turn the POST into a GET.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// ParseURL reads a destination's URL. The error never quotes it.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("reading the url: it is malformed; want https://host/path")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("reading the url: it does not begin with https:// or http://")
	case u.Hostname() == "":
		return nil, errors.New("reading the url: it names no host; want https://host/path")
	}
	return u, nil
}

// Post sends body with the header and classifies the answer as Notify of
// notify.Destination must: 2xx means taken, unless a page of HTML comes with it,
// which is what a portal or proxy on the way shows to people and may pass; 408, 425, 429, 5xx and all faults of
// network and TLS may pass; every other answer, redirects included, means
// refused. Retry-After, in seconds or as a date, is honoured on any answer that
// may pass (RFC 9110, section 10.2.3).
func (c *Client) Post(ctx context.Context, header http.Header, body []byte) (retry bool, err error) {
	kind, answer, retry, err := c.exchange(ctx, header, body)
	if err == nil && isPage(kind, answer) {
		return true, c.NotOf("a receiver of alerts, but a page of HTML", answer)
	}
	return retry, err
}

// Exchange is Post for receivers whose answer says more than its status does. It
// returns at most the first 64 KiB of the answer, whatever it is.
func (c *Client) Exchange(ctx context.Context, header http.Header, body []byte) (answer []byte, retry bool, err error) {
	_, answer, retry, err = c.exchange(ctx, header, body)
	return answer, retry, err
}

// NotOf returns the error for an answer that the vendor does not give, though its
// status says that the message was taken.
func (c *Client) NotOf(vendor string, answer []byte) error {
	return fmt.Errorf("posting to %s: the answer is not that of %s%s; check the url, and what stands between", c.Host(), vendor, c.Quote(answer))
}

// isPage reports whether an answer is a page of HTML. Its media type alone does not
// make it one: some frameworks name text/html where a handler answers "ok".
func isPage(kind string, answer []byte) bool {
	text := strings.ToLower(string(answer[:min(len(answer), 512)]))
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if strings.HasPrefix(text, "<!doctype html") || strings.HasPrefix(text, "<html") {
		return true
	}
	media, _, err := mime.ParseMediaType(kind)
	return err == nil && (media == "text/html" || media == "application/xhtml+xml") && strings.HasPrefix(text, "<")
}

// exchange makes one request. It returns the answer's Content-Type beside the
// answer.
func (c *Client) exchange(ctx context.Context, header http.Header, body []byte) (kind string, answer []byte, retry bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), bytes.NewReader(body))
	if err != nil {
		return "", nil, false, fmt.Errorf("posting to %s: making the request: %w", c.url.Host, c.strip(err))
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", UserAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		return "", nil, true, fmt.Errorf("posting to %s: %w", c.url.Host, c.explain(err))
	}
	defer resp.Body.Close()
	// A failed read takes nothing back: the status line has decided.
	answer, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	retry, err = c.classify(resp, answer)
	return resp.Header.Get("Content-Type"), answer, retry, err
}

// Host returns the host of the URL, to name the receiver in errors.
func (c *Client) Host() string { return c.url.Host }

func (c *Client) classify(resp *http.Response, answer []byte) (retry bool, err error) {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return false, nil
	}
	if code >= 300 && code < 400 {
		return false, fmt.Errorf("posting to %s: the receiver answered %d, a redirect%s; redirects are not followed, configure the final url",
			c.url.Host, code, target(resp))
	}
	err = fmt.Errorf("posting to %s: the receiver answered %s%s", c.url.Host, status(code), c.Quote(answer))
	switch {
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		if wait := RetryAfter(resp.Header.Get("Retry-After"), c.now()); wait > 0 {
			err = &notify.RetryAfterError{After: wait, Err: err}
		}
		return true, err
	}
	return false, err
}

// RetryAfter reads a Retry-After value: whole seconds, or an HTTP date held
// against now. It returns 0 for what is absent, past or unreadable.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if s, err := strconv.ParseUint(value, 10, 64); err == nil {
		const maxSeconds = 1 << 31 // 68 years; more would overflow a Duration
		return time.Duration(min(s, maxSeconds)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// explain says what a failed request means. It keeps only the cause of a
// *url.Error, which quotes the URL.
func (c *Client) explain(err error) error {
	err = c.strip(err)
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		dns      *net.DNSError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("the attempt was called off: %w", err)
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return fmt.Errorf("no answer in time: %w", err)
	case errors.As(err, &unknown):
		return fmt.Errorf("the receiver's certificate is signed by an authority this machine does not trust; set ca_file to that authority's certificate: %w", err)
	case errors.As(err, &hostname):
		return fmt.Errorf("the receiver's certificate is for another host name; use the name it was issued for: %w", err)
	case errors.As(err, &invalid):
		return fmt.Errorf("the receiver's certificate is not valid, or this machine's clock is wrong: %w", err)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("the receiver does not speak TLS on this port; check the port, or use http://")
	case errors.As(err, &dns):
		return fmt.Errorf("the host name does not resolve; check its spelling and this machine's DNS: %w", err)
	}
	return err
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// strip removes the layers of err that quote the URL.
func (c *Client) strip(err error) error {
	for {
		var u *url.Error
		if !errors.As(err, &u) {
			return err
		}
		err = u.Err
	}
}

// Quote returns ": " and what the receiver said, cut to one line; "" if it said
// nothing. What the receiver echoes of our own URL and secrets is taken out.
func (c *Client) Quote(answer []byte) string {
	text := string(answer)
	for _, secret := range c.secrets() {
		text = strings.ReplaceAll(text, secret, "***")
	}
	text = alerting.Printable(strings.TrimSpace(text), maxQuoted)
	if text == "" {
		return ""
	}
	return ": " + text
}

// secrets lists the texts that must not be quoted, parts of the URL among them,
// the longest first.
func (c *Client) secrets() []string {
	var s []string
	add := func(v string) {
		if len(v) > 3 { // "/" and the like tell nothing, and would riddle the text
			s = append(s, v)
		}
	}
	add(c.url.String())
	add(c.url.RequestURI())
	add(c.url.Path)
	add(c.url.RawQuery)
	for _, part := range strings.Split(c.url.Path, "/") {
		add(part)
	}
	for _, vs := range c.url.Query() {
		for _, v := range vs {
			add(v)
		}
	}
	if p, ok := c.url.User.Password(); ok {
		add(p)
	}
	for _, v := range c.private {
		add(v)
	}
	slices.SortFunc(s, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return s
}

func status(code int) string {
	if text := http.StatusText(code); text != "" {
		return strconv.Itoa(code) + " " + text
	}
	return strconv.Itoa(code)
}

// target names the host a redirect points to; its path may hold a secret.
func target(resp *http.Response) string {
	if to, err := resp.Location(); err == nil {
		return " to " + alerting.Printable(to.Host, maxQuoted)
	}
	return ""
}
