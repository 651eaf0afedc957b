package deployment

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/status"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// statusFor is how long a status that was read is answered again: however many
// ask, the brokers are asked once.
const statusFor = 5 * time.Second

// statusReader reads the status of a deployment for all who ask.
type statusReader struct {
	read func(ctx context.Context) (*status.Status, error)

	mu   sync.Mutex
	last *status.Status
	at   time.Time // wall clock at which last was read
}

func newStatusReader(c *config.Config, p *kafka.Process) *statusReader {
	return &statusReader{read: func(ctx context.Context) (*status.Status, error) { return status.Read(ctx, p.Connection, c) }}
}

// get returns a status that is at most statusFor old.
func (r *statusReader) get(ctx context.Context) (*status.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last != nil && time.Since(r.at) < statusFor {
		return r.last, nil
	}
	s, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	r.last, r.at = s, time.Now()
	return s, nil
}

// ServeHTTP answers with the status as JSON, without the names of people; with 503 if Kafka cannot be asked.
func (r *statusReader) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s, err := r.get(req.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	nameless := *s // nobody signs in here
	nameless.Facts.NeverSeen.Accounts = nil
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(&nameless) // a reader that is gone needs no answer
}

const (
	// firstStatus is how long after its start a process says how the deployment is.
	firstStatus = time.Minute
	// statusEvery is how often it looks whether that has changed.
	statusEvery = 10 * time.Minute
)

// LogStatus says in the log how the deployment is, and why it says little or
// nothing: a minute after the start, and whenever the answer has changed. Of the
// processes of a deployment those do so that may correlate. It returns when ctx
// ends.
func LogStatus(ctx context.Context, c *config.Config, p *kafka.Process, log *slog.Logger) {
	if !slices.Contains(p.Roles, kafka.RoleCorrelate) {
		return
	}
	r, last := newStatusReader(c, p), ""
	for wait := firstStatus; cluster.Sleep(ctx, wait) == nil; wait = statusEvery {
		s, err := r.get(ctx)
		if err != nil {
			log.Warn("status", "error", err)
			continue
		}
		if now := shape(s); now != last {
			last = now
			logStatus(log, s)
		}
	}
}

// logStatus writes a status to the log.
func logStatus(log *slog.Logger, s *status.Status) {
	for _, fault := range s.Faults {
		log.Warn("status", "fault", fault)
	}
	for _, reason := range s.Reasons {
		log.Info("status", "reason", reason)
	}
	log.Info("status", "open", s.Episodes.Open, "held_back", s.Episodes.HeldBack, "budget_realised", s.Budget.Realised, "budget", s.Budget.PerDay)
}

// shape returns what a status says without its numbers, which change all the time.
func shape(s *status.Status) string {
	text := strings.Join(append(slices.Clone(s.Faults), s.Reasons...), "\n")
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}
