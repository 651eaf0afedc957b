package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/alertingtest"
	"pgregory.net/rapid"
)

// script is a destination that answers as written, and keeps to its last
// answer; it notes when it was asked.
type script struct {
	start   time.Time
	answers []answer
	asked   []time.Duration
}

type answer struct {
	retry bool
	err   error
	hang  bool // until the context ends
	panic any
}

func (s *script) Name() string { return "pager" }

func (s *script) Notify(ctx context.Context, _ *alerting.Alert) (bool, error) {
	s.asked = append(s.asked, time.Since(s.start))
	a := s.answers[min(len(s.asked), len(s.answers))-1]
	if a.panic != nil {
		panic(a.panic)
	}
	if a.hang {
		<-ctx.Done()
		return false, fmt.Errorf("waiting for an answer: %w", ctx.Err())
	}
	return a.retry, a.err
}

func (s *script) Beat(ctx context.Context, _ *alerting.Heartbeat) (bool, error) {
	return s.Notify(ctx, nil)
}

var (
	errDown    = errors.New("the receiver answered 503")
	errRefused = errors.New("the receiver answered 400")
	ok         = answer{}
	down       = answer{retry: true, err: errDown}
	refused    = answer{err: errRefused}
)

// noJitter makes every wait the shortest: half of the step.
var noJitter = Env{Rand: func() float64 { return 0 }}

func TestDeliver(t *testing.T) {
	busy := func(d time.Duration) answer {
		return answer{retry: true, err: fmt.Errorf("posting: %w", &RetryAfterError{After: d, Err: errors.New("429")})}
	}
	for _, c := range []struct {
		name    string
		policy  Policy
		answers []answer
		raised  time.Duration // before the start
		outcome Outcome
		asked   string // when
		reason  string
	}{
		{name: "taken at once", answers: []answer{ok}, outcome: Delivered, asked: "[0s]"},
		{name: "back after three failures", answers: []answer{down, down, down, ok}, outcome: Delivered,
			asked: "[0s 500ms 1.5s 3.5s]"},
		{name: "refused", answers: []answer{refused}, outcome: Rejected, asked: "[0s]", reason: errRefused.Error()},
		{name: "failing, then refused", answers: []answer{down, refused}, outcome: Rejected, asked: "[0s 500ms]", reason: errRefused.Error()},
		{name: "asked to wait", answers: []answer{busy(90 * time.Second), ok}, outcome: Delivered, asked: "[0s 1m30s]"},
		{name: "asked to wait a year", answers: []answer{busy(8760 * time.Hour), ok}, outcome: Delivered, asked: "[0s 1h0m0s]"},
		{name: "asked for less than the backoff", answers: []answer{busy(time.Millisecond), ok}, outcome: Delivered, asked: "[0s 500ms]"},
		{name: "attempts run out", policy: Policy{MaxAttempts: 3}, answers: []answer{down}, outcome: GivenUp,
			asked: "[0s 500ms 1.5s]", reason: "no attempts left; the last attempt: the receiver answered 503"},
		{name: "time runs out", policy: Policy{MaxAge: 4 * time.Second}, answers: []answer{down}, outcome: GivenUp,
			asked: "[0s 500ms 1.5s 3.5s]", reason: "no time left; the last attempt: the receiver answered 503"},
		{name: "old already: one attempt", raised: 48 * time.Hour, answers: []answer{down}, outcome: GivenUp, asked: "[0s]",
			reason: "no time left; the last attempt: the receiver answered 503"},
		{name: "old already, but taken", raised: 48 * time.Hour, answers: []answer{ok}, outcome: Delivered, asked: "[0s]"},
		{name: "no answer", policy: Policy{Timeout: 3 * time.Second}, answers: []answer{{hang: true}, ok}, outcome: Delivered, asked: "[0s 3.5s]"},
		{name: "panic tells no secret", answers: []answer{{panic: "hunter2"}}, outcome: Rejected, asked: "[0s]",
			reason: "destination pager panicked (string); please report this with the alert's dedup key"},
		{name: "the limit counts attempts", policy: Policy{PerMinute: 6, Burst: 2}, answers: []answer{down, down, ok}, outcome: Delivered,
			asked: "[0s 500ms 10s]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{start: time.Now(), answers: c.answers}
				a := alertingtest.Alert()
				got, err := NewDeliverer(s, c.policy, noJitter).Deliver(t.Context(), &Message{Alert: a, Raised: s.start.Add(-c.raised)})
				if err != nil {
					t.Fatal(err)
				}
				want := Delivery{DedupKey: a.DedupKey, Status: alerting.Open, Time: a.Time, Destination: "pager", Outcome: c.outcome,
					Attempts: len(s.asked), Reason: c.reason, At: alerting.Time(time.Now().UnixMilli())}
				if got != want {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
				if asked := fmt.Sprint(s.asked); asked != c.asked {
					t.Errorf("asked at %s, want %s", asked, c.asked)
				}
			})
		})
	}
}

// A storm is spread out: the burst at once, the rest at the rate.
func TestDeliverLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{start: time.Now(), answers: []answer{ok}}
		d := NewDeliverer(s, Policy{PerMinute: 30, Burst: 3}, noJitter)
		for range 6 {
			if _, err := d.Deliver(t.Context(), &Message{Alert: alertingtest.Alert()}); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := fmt.Sprint(s.asked), "[0s 0s 0s 2s 4s 6s]"; got != want {
			t.Errorf("asked at %s, want %s", got, want)
		}
	})
}

// Stopping decides nothing: no record, so that the message is sent again.
func TestDeliverInterrupted(t *testing.T) {
	for name, a := range map[string]answer{"while waiting": down, "while asking": {hang: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				s := &script{start: time.Now(), answers: []answer{a}}
				got, err := NewDeliverer(s, Policy{}, noJitter).Deliver(ctx, &Message{Alert: alertingtest.Alert()})
				if !errors.Is(err, context.DeadlineExceeded) || got != (Delivery{}) {
					t.Errorf("got %+v, %v", got, err)
				}
			})
		})
	}
}

func TestDeliverWithoutLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{start: time.Now(), answers: []answer{ok}}
		d := NewDeliverer(s, Policy{PerMinute: -1}, noJitter)
		for range 100 {
			if _, err := d.Deliver(t.Context(), &Message{Alert: alertingtest.Alert()}); err != nil {
				t.Fatal(err)
			}
		}
		if s.asked[99] != 0 {
			t.Errorf("the last was asked at %v", s.asked[99])
		}
	})
}

func TestDeliverTellsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{start: time.Now(), answers: []answer{down, down, ok}}
		var sent []string
		env := noJitter
		env.OnRetry = func(_ *alerting.Alert, attempt int, wait time.Duration, err error) {
			sent = append(sent, fmt.Sprint(attempt, " ", wait, " ", err))
		}
		if _, err := NewDeliverer(s, Policy{}, env).Deliver(t.Context(), &Message{Alert: alertingtest.Alert()}); err != nil {
			t.Fatal(err)
		}
		want := "1 500ms the receiver answered 503|2 1s the receiver answered 503"
		if got := strings.Join(sent, "|"); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	})
}

// Whatever happened, a wait lies between half of MinBackoff and the larger of
// MaxBackoff and MaxRetryAfter, and more failures never make it shorter.
func TestBackoffLaws(t *testing.T) {
	p := Policy{}.withDefaults()
	rapid.Check(t, func(t *rapid.T) {
		failed := rapid.IntRange(-1, 1<<40).Draw(t, "failed")
		asked := time.Duration(rapid.Int64().Draw(t, "asked"))
		u := rapid.Float64Range(0, 1-1e-9).Draw(t, "u")
		got := p.Backoff(failed, asked, u)
		if got < p.MinBackoff/2 || got > max(p.MaxBackoff, p.MaxRetryAfter) || got < min(asked, p.MaxRetryAfter) {
			t.Fatalf("waits %v", got)
		}
		if more := p.Backoff(failed+1, asked, u); more < got {
			t.Fatalf("waits %v, then %v", got, more)
		}
	})
}

// A clock that steps back neither stops deliveries nor lets a storm through.
func TestBucketClockStepsBack(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := bucket{rate: 1, burst: 1}
	for i, c := range []struct {
		step, want time.Duration
	}{{0, 0}, {0, time.Second}, {-time.Hour, 2 * time.Second}, {time.Hour, 0}} {
		now = now.Add(c.step)
		if got := b.take(now); got != c.want {
			t.Errorf("step %d waits %v, want %v", i, got, c.want)
		}
	}
}

// Rest earns no more than one burst.
func TestBucketBurstIsBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := bucket{rate: 1, burst: 2}
	b.take(now)
	now = now.Add(time.Hour)
	for i, want := range []time.Duration{0, 0, time.Second, 2 * time.Second} {
		if got := b.take(now); got != want {
			t.Errorf("attempt %d waits %v, want %v", i, got, want)
		}
	}
}

func TestDeliveryJSON(t *testing.T) {
	d := Delivery{DedupKey: "weir-0123456789abcdef", Status: alerting.Open, Time: 1772550000000, Destination: "pager", Outcome: GivenUp,
		Attempts: 3, Reason: `the receiver answered "503"`, At: 1772550000500}
	want := `{"dedup_key":"weir-0123456789abcdef","status":"open","time":"2026-03-03T15:00:00.000Z","destination":"pager",` +
		`"outcome":"given_up","attempts":3,"reason":"the receiver answered \"503\"","at":"2026-03-03T15:00:00.500Z"}`
	b := d.AppendJSON(nil)
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	back, err := ParseDelivery(b)
	if err != nil || *back != d {
		t.Errorf("read back as %+v, %v", back, err)
	}
	for in, want := range map[string]string{
		``:   "unexpected EOF",
		`{}`: "dedup_key is missing",
		`{"dedup_key":"k","destination":"d","status":"open"}`:                    `outcome is ""`,
		`{"dedup_key":"k","destination":"d","status":"?","outcome":"delivered"}`: `status is "?"`,
		`{"dedup_key":"k","status":"open","outcome":"delivered"}`:                "destination is missing",
		strings.Repeat(`{"dedup_key":"k","destination":"d","status":"open"}`, 2): "more than one JSON value",
	} {
		if _, err := ParseDelivery([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", in, err, want)
		}
	}
}

// What is prepared is what is delivered; the record is of the alert as it is.
func TestDeliverPrepared(t *testing.T) {
	var sent *alerting.Alert
	dest := destinationFunc(func(a *alerting.Alert) { sent = a })
	prepare := func(a *alerting.Alert) *alerting.Alert {
		out := *a
		out.DedupKey, out.Links.Console = "another", "https://weir.example/"
		return &out
	}
	a := alertingtest.Alert()
	record, err := NewDeliverer(dest, Policy{Prepare: prepare}, noJitter).Deliver(t.Context(), &Message{Alert: a})
	if err != nil {
		t.Fatal(err)
	}
	if sent == nil || sent.Links.Console != "https://weir.example/" || record.DedupKey != a.DedupKey {
		t.Errorf("told %+v, recorded %+v", sent, record)
	}
}

// short takes few names at once, and fails as it is told.
type short struct {
	fails map[int]error // by the number of the call
	calls int
	named []string
}

func (s *short) Name() string                                            { return "short" }
func (s *short) NamesRoom() int                                          { return 100 }
func (s *short) Beat(context.Context, *alerting.Heartbeat) (bool, error) { return false, nil }

func (s *short) Notify(_ context.Context, a *alerting.Alert) (bool, error) {
	s.calls++
	if err := s.fails[s.calls]; err != nil {
		return err == errDown, err
	}
	for i := range a.Members.Also {
		s.named = append(s.named, a.Members.Also[i].Identity)
	}
	return false, nil
}

// A message of many parts goes on at the part that failed, and is delivered once, when
// all have been taken; a part that is refused ends it.
func TestDeliverParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			fails map[int]error
			want  Outcome
			named int
		}{
			{nil, Delivered, 25},
			{map[int]error{1: errDown, 3: errDown, 4: errDown}, Delivered, 25},
			{map[int]error{2: errRefused}, Rejected, 6},
		} {
			s := &short{fails: test.fails}
			m := &Message{Alert: alertingtest.Many(30, "")}
			record, err := NewDeliverer(s, Policy{}, noJitter).Deliver(t.Context(), m)
			if err != nil || record.Outcome != test.want {
				t.Errorf("%v: %s %s, %v", test.fails, record.Outcome, record.Reason, err)
			}
			if unique := slices.Compact(slices.Sorted(slices.Values(s.named))); len(unique) != test.named || len(s.named) != test.named {
				t.Errorf("%v: named %q, want %d", test.fails, s.named, test.named)
			}
			if !m.Begun() {
				t.Error("it has not begun")
			}
		}
	})
}

type destinationFunc func(a *alerting.Alert)

func (f destinationFunc) Name() string { return "f" }

func (f destinationFunc) Notify(_ context.Context, a *alerting.Alert) (bool, error) {
	f(a)
	return false, nil
}

func (f destinationFunc) Beat(context.Context, *alerting.Heartbeat) (bool, error) { return false, nil }

// An attempt at a heartbeat ends: the wait before the next is that of a message, or what
// the receiver asked for. What is refused is to be tried again, too.
func TestBeat(t *testing.T) {
	h := alertingtest.Heartbeats()["heartbeat-quiet"]
	busy := answer{retry: true, err: &RetryAfterError{After: 9 * time.Minute, Err: errDown}}
	for name, c := range map[string]struct {
		answer answer
		wait   time.Duration
		says   string
	}{
		"told":     {ok, 0, ""},
		"down":     {down, 2 * time.Second, "503"},
		"busy":     {busy, 9 * time.Minute, "503"},
		"refused":  {refused, 2 * time.Second, "400"},
		"silent":   {answer{hang: true}, 2 * time.Second, "deadline"},
		"panicked": {answer{panic: "a secret"}, 2 * time.Second, "panicked (string)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			wait, err := NewDeliverer(&script{start: time.Now(), answers: []answer{c.answer}}, Policy{}, noJitter).Beat(t.Context(), h, 3)
			if wait != c.wait || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: wait %v, %v", name, wait, err)
			}
		})
	}
}
