package notify

import (
	"context"
	"errors"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Destination is a place where people look: a pager, a chat, a ticket queue.
// Each kind is one small package under alerting that knows its own protocol
// and nothing else; retries, limits and records are Deliverer's.
type Destination interface {
	// Name is the name of the destination in the configuration, in logs,
	// metrics and delivery records.
	Name() string

	// Notify makes one attempt to deliver one alert. A nil error means that
	// the receiver took it. With an error, retry tells whether the same
	// attempt may succeed later: true for what passes (an outage, a limit, a
	// timeout), false for what a person must change (a refused credential, a
	// malformed message). An error that wraps a *RetryAfterError carries the
	// wait the receiver asked for.
	//
	// The error's text goes into logs and delivery records: it never holds a
	// secret, nor a URL that may hold one. Notify must respect ctx and must
	// not keep or change the alert.
	Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error)
}

// RetryAfterError says how long the receiver asked us to wait before the next
// attempt.
type RetryAfterError struct {
	After time.Duration // from now, positive
	Err   error         // what the receiver said
}

// Error returns the text of the cause.
func (e *RetryAfterError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryAfterError) Unwrap() error { return e.Err }

// retryAfter returns the wait that err carries, or 0.
func retryAfter(err error) time.Duration {
	var e *RetryAfterError
	if errors.As(err, &e) && e.After > 0 {
		return e.After
	}
	return 0
}
