package cluster

import (
	"context"
	"time"
)

// graceKey is the key under which a context carries its grace.
type graceKey struct{}

// grace holds the context of Finishing, which carries the grace too.
type grace struct{ finish context.Context }

// WithGrace returns a context that ends with ctx, but lets what has begun go on
// for a while after that: see Finishing. The caller calls cancel when nothing is
// left to finish.
func WithGrace(ctx context.Context, while time.Duration) (graced context.Context, cancel context.CancelFunc) {
	g := &grace{}
	finish, end := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), graceKey{}, g))
	g.finish = finish
	stop := context.AfterFunc(ctx, func() {
		if Sleep(finish, while) == nil {
			end()
		}
	})
	return context.WithValue(ctx, graceKey{}, g), func() { stop(); end() }
}

// Finishing returns the context for work that a stop must not cut off, such as
// the end of a transaction. It outlives ctx: it ends when the grace of WithGrace
// is over, and without WithGrace never.
func Finishing(ctx context.Context) context.Context {
	if g, ok := ctx.Value(graceKey{}).(*grace); ok {
		return g.finish
	}
	return context.WithoutCancel(ctx)
}
