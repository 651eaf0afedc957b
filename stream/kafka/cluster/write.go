package cluster

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Writer writes the records of one transaction. What it was given when its
// context ended stays in the client's memory until the client is closed: a
// record in flight may have been written, and the client library does not give
// it up.
type Writer struct {
	client *kgo.Client
	size   int

	mu  sync.Mutex
	err error // the first
}

// NewWriter returns a writer for a transaction that the caller begins and ends.
func NewWriter(client *kgo.Client) *Writer { return &Writer{client: client} }

// Write hands one record to the client. Flush tells what became of it.
func (w *Writer) Write(ctx context.Context, rec *kgo.Record) {
	w.size += len(rec.Key) + len(rec.Value)
	w.client.Produce(ctx, rec, w.wrote)
}

func (w *Writer) wrote(_ *kgo.Record, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

// Bytes is the size of the keys and values that were handed over, before
// compression.
func (w *Writer) Bytes() int { return w.size }

// Flush waits until each record is written or has failed, or until ctx ends. It
// returns the first fault.
func (w *Writer) Flush(ctx context.Context) error {
	err := w.client.Flush(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	return err
}
