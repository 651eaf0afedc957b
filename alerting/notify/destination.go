package notify

import (
	"context"
	"errors"
	"time"

	"github.com/weirhq/weir/alerting"
)

// Destination is a place where people look: a pager, a chat, a ticket queue.
// Each kind is one small package below this one, which knows the protocol of
// its vendor and nothing else; retries, limits and records are Deliverer's.
type Destination interface {
	// Name is the name of the destination in the configuration, in logs,
	// metrics and delivery records.
	Name() string

	// Notify makes one attempt to deliver one alert. A nil error means that
	// the receiver took it. With an error, retry says whether the same
	// attempt may succeed later: true for what passes (an outage, a limit, a
	// timeout), false for what a person must change (a refused credential, a
	// malformed message). An error that wraps a *RetryAfterError carries the
	// wait that the receiver asked for.
	//
	// The error's text goes into logs and delivery records: it never holds a
	// secret, nor a URL that may hold one. Notify must respect ctx and must
	// not keep or change the alert.
	Notify(ctx context.Context, a *alerting.Alert) (retry bool, err error)

	// Beat makes one attempt to tell a heartbeat, as Notify does an alert. It calls
	// nobody up: it opens no incident and asks for no answer.
	Beat(ctx context.Context, h *alerting.Heartbeat) (retry bool, err error)
}

// Updater is a Destination that shows an episode as one message and changes the
// message in place. To find the message again it needs a reference: what the
// receiver called it. The delivery record keeps it (Delivery.Reference).
//
// The caller hands back the reference of the latest delivered record of the
// same destination and dedup key; "" where there is none. A reference that was
// lost costs a second message, never a failure.
type Updater interface {
	Destination

	// Upsert is Notify with the reference of the episode's earlier message; it
	// returns the reference to keep from now on.
	Upsert(ctx context.Context, a *alerting.Alert, reference string) (kept string, retry bool, err error)
}

// Annotator is an Updater that can show a line under the message of an episode, such as
// that somebody has judged it and when that counts.
type Annotator interface {
	Updater

	// Annotate changes the episode's message to the alert with the line under it, or with
	// none where the line is empty. It tells nobody that it has changed. A message that is
	// gone, or cannot be changed, is no error.
	Annotate(ctx context.Context, a *alerting.Alert, reference, line string) (retry bool, err error)
}

// MaxReference bounds a reference, in bytes; a longer one is not kept.
const MaxReference = 512

// Resender is a Destination whose receiver takes an episode to be over when it
// has had no word of it for a while, as Alertmanager does. The caller must hand
// Notify the latest alert of each open episode again, at least every
// ResendEvery, until its close is delivered; Firing says which are due. The last
// heartbeat must be handed to Beat again as often.
type Resender interface {
	Destination

	// ResendEvery is positive.
	ResendEvery() time.Duration
}

// Parted is a Destination whose receiver takes short messages. An alert that names many
// is handed to it in parts, each of which names some (alerting.Alert.Part), so that no
// name is lost. A destination that is none shows all names in one message.
type Parted interface {
	Destination

	// NamesRoom is for how many bytes of names a message has room; it is positive.
	NamesRoom() int
}

// RetryAfterError says how long the receiver asked us to wait before the next
// attempt.
type RetryAfterError struct {
	After time.Duration // from now on; positive
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
