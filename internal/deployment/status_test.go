package deployment

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/internal/status"
)

// However many ask, Kafka is asked once in a while; what it does not answer is an
// error and is not kept.
func TestStatusOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, gone := 0, true
		r := &statusReader{read: func(context.Context) (*status.Status, error) {
			asked++
			if gone {
				return nil, errors.New("no broker answered")
			}
			return &status.Status{Group: "weir"}, nil
		}}
		get := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/status", http.NoBody))
			return w
		}
		if w := get(); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "no broker answered") {
			t.Errorf("without a broker: %d %s", w.Code, w.Body)
		}
		gone = false
		for range 3 {
			var s status.Status
			if w := get(); w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &s) != nil || s.Group != "weir" {
				t.Errorf("with a broker: %d %s", w.Code, w.Body)
			}
		}
		if asked != 2 {
			t.Errorf("Kafka was asked %d times, want once without an answer and once with", asked)
		}
		time.Sleep(statusFor)
		if get(); asked != 3 {
			t.Errorf("after %v Kafka was asked %d times, want 3", statusFor, asked)
		}
	})
}

// The log repeats what has changed, not what has only gone on.
func TestShape(t *testing.T) {
	a, b := &status.Status{Reasons: []string{"12 records of access wait."}}, &status.Status{Reasons: []string{"3 records of access wait."}}
	if shape(a) != shape(b) {
		t.Error("another number is another status")
	}
	if b.Faults = []string{"No process runs."}; shape(a) == shape(b) {
		t.Error("a fault is no other status")
	}
}
