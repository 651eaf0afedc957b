package stdout

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/alerting/notify/notifytest"
)

func write(t *testing.T, format Format, alerts ...*alerting.Alert) string {
	t.Helper()
	var b bytes.Buffer
	w, err := New("stdout", &b, format, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts {
		if retry, err := w.Notify(t.Context(), a); retry || err != nil {
			t.Fatal(retry, err)
		}
	}
	return b.String()
}

func TestJSON(t *testing.T) {
	a := alertingtest.Alert()
	line := string(a.AppendJSON(nil)) + "\n"
	if got := write(t, "", a, a); got != line+line {
		t.Errorf("got %s", got)
	}
}

func TestNames(t *testing.T) {
	for _, format := range []Format{JSON, Table} {
		notifytest.Content(t, func(t *testing.T) (notify.Destination, func() string) {
			var b bytes.Buffer
			w, err := New("stdout", &b, format, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			return w, b.String
		})
	}
}

func TestTable(t *testing.T) {
	a := alertingtest.Alert()
	b := *a
	b.Identity = "a-key-with-a-rather-long-name\x1b[2J"
	b.Summary = "Over:\nfake line"
	b.Status, b.Observed, b.Expected, b.Exposed = alerting.Close, 3.25, 1234.5, alerting.Exposed{Rows: 5000}
	fact := *a
	fact.Kind, fact.Measure, fact.Observed, fact.Expected, fact.Summary = alerting.KindFact, "", 0, 0, "It left."
	want := "" +
		"TIME (UTC)        SEVERITY  STATUS  DIMENSION   IDENTITY                          OBSERVED      EXPECTED         EXPOSED\n" +
		"2026-03-03 15:00  high      open    key         kid-7                           33,700,000         9,100      33,700,000\n" +
		"    " + a.Summary + "\n" +
		"2026-03-03 15:00  high      close   key         a-key-with-a-rather-long-na…           3.2         1,235      5,000 rows\n" +
		"    Over:?fake line\n" +
		"2026-03-03 15:00  high      open    key         kid-7                                    -             -      33,700,000\n" +
		"    It left.\n"
	if got := write(t, Table, a, &b, &fact); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := New("stdout", io.Discard, "xml", nil); err == nil || !strings.Contains(err.Error(), "want json or table") {
		t.Errorf("got %v", err)
	}
}

// faulty writes some bytes, then fails, once.
type faulty struct {
	bytes.Buffer
	after int
	err   error
}

func (f *faulty) Write(b []byte) (int, error) {
	if f.err == nil {
		return f.Buffer.Write(b)
	}
	err := f.err
	f.err = nil
	n, _ := f.Buffer.Write(b[:f.after])
	return n, err
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		err   error
		retry bool
	}{
		{syscall.ENOSPC, true}, {syscall.EPIPE, false}, {os.ErrClosed, false}, {io.ErrClosedPipe, false},
	} {
		w, err := New("stdout", &faulty{err: &os.PathError{Op: "write", Path: "x", Err: c.err}}, JSON, nil)
		if err != nil {
			t.Fatal(err)
		}
		if retry, err := w.Notify(t.Context(), alertingtest.Alert()); retry != c.retry || !errors.Is(err, c.err) {
			t.Errorf("%v: retry %v, %v", c.err, retry, err)
		}
	}
}

// A line that was torn by a fault is ended before the next one begins.
func TestTornLine(t *testing.T) {
	f := &faulty{after: 10, err: syscall.ENOSPC}
	w, err := New("stdout", f, JSON, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := alertingtest.Alert()
	for range 3 {
		_, _ = w.Notify(t.Context(), a) // the first fails
	}
	line := string(a.AppendJSON(nil)) + "\n"
	if want := line[:10] + "\n" + line + line; f.String() != want {
		t.Errorf("got %s", f.String())
	}
}

func TestCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w, err := New("stdout", io.Discard, JSON, nil)
	if err != nil {
		t.Fatal(err)
	}
	if retry, err := w.Notify(ctx, alertingtest.Alert()); !retry || !errors.Is(err, context.Canceled) {
		t.Errorf("retry %v, %v", retry, err)
	}
}
