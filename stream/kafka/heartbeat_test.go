package kafka_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/alerting/notify"
	"github.com/weirhq/weir/stream/kafka"
	"github.com/weirhq/weir/stream/kafka/deliver"
)

// beating is a process that tells a receiver heartbeats, one every ten minutes, and hands
// out those that the receiver took.
func (d *deployment) beating(t testing.TB, r *receiver) (*kafka.Options, *[]alerting.Heartbeat) {
	t.Helper()
	taken := new([]alerting.Heartbeat)
	take := r.beat
	r.beat = func(h *alerting.Heartbeat) (bool, error) {
		if take != nil {
			if retry, err := take(h); err != nil {
				return retry, err
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		*taken = append(*taken, *h)
		return false, nil
	}
	o := d.notifying(t, r)
	o.Destinations[0].Heartbeat = &deliver.Heartbeat{
		Schedule: notify.Schedule{Every: 10 * time.Minute},
		Compose:  func(context.Context, time.Time) (*alerting.Heartbeat, error) { return &alerting.Heartbeat{}, nil },
	}
	return o, taken
}

// A destination is told once of each time that is due, whatever restarts; of what was
// missed, by one heartbeat; and a failure is tried again until the next is due.
func TestHeartbeats(t *testing.T) { inBubble(t, testHeartbeats) }

func testHeartbeats(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	fails := 2
	r := &receiver{name: "soc", beat: func(*alerting.Heartbeat) (bool, error) {
		if fails > 0 {
			fails--
			return fails == 1, errors.New("the receiver answered 503")
		}
		return false, nil
	}}
	o, taken := d.beating(t, r)
	began := time.Now()
	for _, span := range []time.Duration{11 * time.Minute, 4 * time.Minute, 10 * time.Minute} {
		stop := start(t, o).stop
		time.Sleep(span)
		stop()
	}
	time.Sleep(35 * time.Minute) // nobody watches
	stop := start(t, o).stop
	time.Sleep(5 * time.Second)
	stop()
	var due, want []time.Time
	for i, at := 0, began.Truncate(10*time.Minute); i < 6; i++ {
		if at = at.Add(10 * time.Minute); at.Sub(began) < 25*time.Minute || at.Sub(began) > 50*time.Minute && at.Sub(began) <= 60*time.Minute {
			want = append(want, at)
		}
	}
	since := began
	for i := range *taken {
		h := &(*taken)[i]
		due = append(due, h.Due.Std())
		if h.Since.Std().Sub(since).Abs() > 5*time.Second || h.Destination != "soc" || h.Next.Std().Sub(h.Due.Std()) != 10*time.Minute {
			t.Errorf("heartbeat %d: %+v", i, h)
		}
		since = h.Time.Std()
	}
	if !slices.EqualFunc(due, want, time.Time.Equal) {
		t.Errorf("told at %v, want %v", due, want)
	}
}

// A receiver that forgets is told the last heartbeat again for as long as there are new
// ones, also after a restart, and not for longer.
func TestHeartbeatsResent(t *testing.T) { inBubble(t, testHeartbeatsResent) }

func testHeartbeatsResent(t *testing.T) {
	d := newDeployment(t, 1)
	d.prepare(t)
	r := &receiver{name: "am"}
	o, taken := d.beating(t, r)
	o.Destinations[0].Destination = slowResender{r}
	o.Destinations[0].Heartbeat.Schedule.Every = 12 * time.Hour
	broken := false
	o.Destinations[0].Heartbeat.Compose = func(context.Context, time.Time) (*alerting.Heartbeat, error) {
		if broken {
			return nil, errors.New("no broker answers")
		}
		return &alerting.Heartbeat{}, nil
	}
	count := func() int { // also while more come
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(*taken)
	}
	seen := func(d time.Duration) int {
		stop := start(t, o).stop
		defer stop()
		before := count()
		time.Sleep(d)
		return count() - before
	}
	time.Sleep(time.Until(time.Now().Truncate(12 * time.Hour).Add(12*time.Hour - time.Minute)))
	if n := seen(22 * time.Minute); n != 3 {
		t.Errorf("told %d times in 21 minutes, want 3: when it is due, and twice again", n)
	}
	if n := seen(5 * time.Minute); n != 1 {
		t.Errorf("told %d times after a restart, want once: what was told last", n)
	}
	broken = true
	time.Sleep(13*time.Hour - time.Since((*taken)[0].Due.Std()) + time.Second)
	if n := seen(5 * time.Minute); n != 0 {
		t.Errorf("told %d times though the next was due an hour ago", n)
	}
}

// slowResender is a receiver that forgets after a while.
type slowResender struct{ *receiver }

func (slowResender) ResendEvery() time.Duration { return 10 * time.Minute }
