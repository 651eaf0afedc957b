package email

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

var rewrite = flag.Bool("rewrite", false, "write what is found to testdata")

func build(t *testing.T, s notifytest.MailSetup) notify.Destination {
	t.Helper()
	e, err := New(Options{
		Name: "mail", Address: s.Address, Encryption: s.Encryption, Username: s.Username, Password: s.Password,
		From: "weir <weir@example.com>", To: []string{"soc@example.com", "담당자 <duty@example.com>"},
		TLS: &tls.Config{RootCAs: s.Roots}, Timeout: s.Timeout, Now: s.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestBehaviour(t *testing.T) { notifytest.SMTP(t, build) }

// sent returns the message of an alert as a server got it.
func sent(t *testing.T, a *alerting.Alert) notifytest.Mail {
	t.Helper()
	return mailed(t, func(d notify.Destination) (bool, error) { return d.Notify(t.Context(), a) })
}

// mailed returns what a server got of what was sent.
func mailed(t *testing.T, send func(d notify.Destination) (bool, error)) notifytest.Mail {
	t.Helper()
	s := notifytest.NewMailServer(t, notifytest.Script{})
	d := build(t, notifytest.MailSetup{Address: s.Address, Encryption: None, Now: func() time.Time { return notifytest.Now }})
	if _, err := send(d); err != nil {
		t.Fatal(err)
	}
	return s.Taken()[0]
}

// parts reads a message by the standard library and returns its subject and the
// texts of its two parts.
func parts(t *testing.T, data []byte) (header netmail.Header, subject, plain, html string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	r := multipart.NewReader(m.Body, parameters["boundary"])
	var texts []string
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
			t.Fatalf("a part is encoded as %s", got)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if len(texts) != 2 {
		t.Fatalf("%d parts", len(texts))
	}
	return m.Header, subject, texts[0], texts[1]
}

func TestNames(t *testing.T) {
	notifytest.Content(t, func(t *testing.T) (notify.Destination, func() string) {
		s := notifytest.NewMailServer(t, notifytest.Script{})
		d := build(t, notifytest.MailSetup{Address: s.Address, Encryption: None, Now: func() time.Time { return notifytest.Now }})
		return d, func() string {
			_, _, plain, _ := parts(t, s.Taken()[0].Data)
			return plain
		}
	})
}

// A message reaches all recipients, belongs to the episode's thread, has the
// same id on every attempt, and asks for no answer.
func TestEnvelopeAndThread(t *testing.T) {
	a := alertingtest.Full()
	first, again := sent(t, a), sent(t, a)
	if first.From != "weir@example.com" || strings.Join(first.To, " ") != "soc@example.com duty@example.com" {
		t.Errorf("from %s to %v", first.From, first.To)
	}
	header, subject, _, _ := parts(t, first.Data)
	repeated, _, _, _ := parts(t, again.Data)
	if id := header.Get("Message-Id"); id != "<"+a.MessageID()+"@example.com>" || id != repeated.Get("Message-Id") {
		t.Errorf("ids %s, %s", id, repeated.Get("Message-Id"))
	}
	if want := "[weir] HIGH: Signing key kid-7: 33,700,000 distinct customers, where about 9,100 are usual in as much time"; subject != want {
		t.Errorf("the subject is %q", subject)
	}
	for name, want := range map[string]string{"Auto-Submitted": "auto-generated", "X-Weir-Status": "open", "X-Weir-Severity": "high", "Importance": "high", "Date": "Tue, 03 Mar 2026 15:00:00 +0000"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	a.Status = alerting.Close
	header2, subject, _, _ := parts(t, sent(t, a).Data)
	if header2.Get("References") != header.Get("References") || header2.Get("Message-Id") == header.Get("Message-Id") {
		t.Errorf("the close is not in the thread: %v", header2)
	}
	if !strings.HasPrefix(subject, "[weir] Over: ") || header2.Get("Importance") != "" {
		t.Errorf("a close: %q, importance %q", subject, header2.Get("Importance"))
	}
}

// Both parts say the same; other people's text is text in them, and makes no
// header, link, script or image.
func TestWords(t *testing.T) {
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			header, subject, plain, html := parts(t, sent(t, a).Data)
			c := alerting.Compose(a, time.UTC)
			for _, text := range []string{c.Sentence, a.DedupKey} {
				if !strings.Contains(plain, text) {
					t.Errorf("the plain part lacks %q", text)
				}
			}
			if strings.ContainsAny(subject, "\r\n") || len(header["To"]) != 1 || header.Get("Bcc") != "" {
				t.Errorf("headers %v", header)
			}
			tags := map[string]bool{}
			for _, tag := range regexp.MustCompile(`<[^ >]+`).FindAllString(html, -1) {
				tags[strings.TrimPrefix(tag, "</")] = true
			}
			for tag := range tags {
				if !strings.Contains(" <!doctype <html html <body body <div div <h1 h1 <p p <table table <tr tr <td td <b b <h2 h2 <a a ", " "+tag+" ") {
					t.Errorf("the HTML part has a tag %s", tag)
				}
			}
			if got := strings.Count(html, "href="); got != len(c.Links) {
				t.Errorf("%d links, want %d", got, len(c.Links))
			}
		})
	}
}

func TestGolden(t *testing.T) {
	for name, a := range alertingtest.Alerts() {
		t.Run(name, func(t *testing.T) {
			_, subject, plain, html := parts(t, sent(t, a).Data)
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".txt", []byte("Subject: "+subject+"\n\n"+strings.ReplaceAll(plain, "\r\n", "\n")))
			alertingtest.Golden(t, *rewrite, "testdata/"+name+".html", []byte(strings.ReplaceAll(html, "\r\n", "\n")))
		})
	}
}

// The server may echo the password in any form in which it travelled.
func TestPasswordIsNotShown(t *testing.T) {
	const password = `hunter"2`
	e, err := New(Options{Address: "mail.example:587", From: "a@b.example", To: []string{"c@b.example"}, Username: "weir", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	sent := password + " " + strings.Trim(strconv.Quote(password), `"`) + " " + base64.StdEncoding.EncodeToString([]byte(password)) + " " + base64.StdEncoding.EncodeToString([]byte("\x00weir\x00"+password))
	if got := e.quote("535 " + sent + "\nand more, affected message ID: <x>"); got != "535 *** *** *** *** and more" {
		t.Errorf("it says %q", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"address":         {func(o *Options) { o.Address = "mail" }, "host:port"},
		"port":            {func(o *Options) { o.Address = "mail:smtp" }, "host:port"},
		"encryption":      {func(o *Options) { o.Encryption = "ssl" }, "starttls, tls or none"},
		"bare password":   {func(o *Options) { o.Encryption, o.Username, o.Password = None, "weir", "hunter2" }, "plain text"},
		"sender":          {func(o *Options) { o.From = "weir" }, "reading the sender"},
		"injected sender": {func(o *Options) { o.From = "weir@b.example\r\nBcc: x@thief.example" }, "reading the sender"},
		"nobody":          {func(o *Options) { o.To = nil }, "at least one recipient"},
		"recipient":       {func(o *Options) { o.To = []string{"a@b.example, c@d.example"} }, "reading the recipient"},
	} {
		o := Options{Name: "mail", Address: "mail.example:587", From: "weir@b.example", To: []string{"soc@b.example"}}
		c.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
