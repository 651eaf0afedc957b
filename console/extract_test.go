package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/stream/correlate"
)

// Who may have the list of customers: each cell of the table in docs/console.md. Who
// has it stands in the ledger before the first line goes out.
func TestExtractRoles(t *testing.T) {
	for _, c := range []struct {
		role   access.Role
		body   string
		want   int
		header []string
	}{
		{access.Viewer, `{"reason":"INC-1"}`, 403, nil},
		{access.Analyst, `{"reason":"INC-1"}`, 403, nil},
		{access.Admin, `{"reason":"INC-1"}`, 200, nil},
		{access.Admin, `{}`, 400, nil},
		{access.Admin, `{"reason":"INC-1","author":"bob"}`, 400, nil},
		{access.Admin, `{"reason":"` + strings.Repeat("a", 3000) + `"}`, 400, nil},
		{access.Admin, `{"reason":"INC-1"}`, 403, []string{"Sec-Fetch-Site", "cross-site"}},
	} {
		b := newBench(t, 1, c.role)
		b.Extract = func(_ context.Context, key string, w io.Writer) (string, error) {
			if len(b.verdicts) != 1 || b.verdicts[0].DedupKey != key {
				t.Errorf("before the list the log holds %+v", b.verdicts)
			}
			fmt.Fprintln(w, "customer-1")
			return "", nil
		}
		w := b.do(http.MethodPost, "/api/v1/episodes/"+b.key()+"/extract", c.body, append(c.header, "Content-Type", "application/json")...)
		if w.Code != c.want || (w.Body.String() == "customer-1\n") != (c.want == 200) {
			t.Errorf("%s by %s: %d %s", c.body[:min(len(c.body), 60)], c.role, w.Code, w.Body)
		}
		if (len(b.verdicts) == 1) != (c.want == 200) {
			t.Errorf("%s by %s: the log holds %+v", c.body[:min(len(c.body), 60)], c.role, b.verdicts)
		}
		if c.want == 200 {
			v := b.verdicts[0]
			if v.Kind != correlate.Extracted || v.Author != "ana" || v.Reason != "INC-1" || v.Kind.Judges() || v.Holder("kim") != "kim" {
				t.Errorf("written: %+v", v)
			}
			if d := w.Header().Get("Content-Disposition"); d != `attachment; filename="`+b.key()+`.txt"` || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("headers: %v", w.Header())
			}
		}
		if page := b.get("/episodes/" + b.key()).Body.String(); strings.Contains(page, "form-extract") != (c.role == access.Admin) {
			t.Errorf("the page shows %s the wrong form", c.role)
		}
	}
}

// A list that is not whole breaks off, and one that contradicts its alert says so; one
// is made at a time, and none that could not be written down.
func TestExtractFaults(t *testing.T) {
	b := newBench(t, 1, access.Admin)
	server := httptest.NewServer(b)
	defer server.Close()
	ask := func() (*http.Response, string, error) {
		resp, err := http.PostForm(server.URL+"/episodes/"+b.key()+"/extract", url.Values{"reason": {"INC-1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return resp, string(text), err
	}
	if resp, _, err := ask(); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("where there is no deployment: %d, %v", resp.StatusCode, err)
	}
	b.Extract = func(_ context.Context, _ string, w io.Writer) (string, error) {
		fmt.Fprintln(w, "customer-1")
		return "", errors.New("kafka is away")
	}
	if _, text, err := ask(); err == nil || text != "customer-1\n" {
		t.Errorf("a list that is not whole: %q, %v", text, err)
	}
	if !strings.Contains(b.log.String(), "kafka is away") {
		t.Errorf("the log says %s", b.log)
	}
	b.Extract = func(ctx context.Context, key string, w io.Writer) (string, error) {
		inner := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/episodes/"+key+"/extract", strings.NewReader("reason=x"))
		r.Host = "127.0.0.1"
		r.Header.Set("Content-Type", formType)
		if b.ServeHTTP(inner, r.WithContext(ctx)); inner.Code != http.StatusTooManyRequests {
			t.Errorf("beside another: %d", inner.Code)
		}
		fmt.Fprintln(w, "customer-1")
		return "the alert estimated 5", nil
	}
	if resp, text, err := ask(); err != nil || text != "customer-1\n" || resp.Trailer.Get(doubtTrailer) != "the alert estimated 5" {
		t.Errorf("a list that contradicts its alert: %q, %v, %v", text, err, resp.Trailer)
	}
	b.failing = errors.New("kafka is away")
	if resp, text, err := ask(); err != nil || resp.StatusCode != http.StatusServiceUnavailable || strings.Contains(text, "customer") {
		t.Errorf("where it cannot be written down: %d %s, %v", resp.StatusCode, text, err)
	}
}
