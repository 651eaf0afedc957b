package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/detectors/episode"
	"pgregory.net/rapid"
)

// sent drains the queue at one moment, each message being taken, and names what
// was sent.
func sent(q *Queue, now time.Time) string {
	var out []string
	for {
		m, _ := q.Next(now)
		if m == nil {
			return strings.Join(out, " ")
		}
		out = append(out, m.Alert.Identity)
		q.Done(m, true)
	}
}

// message is the alert of an episode, named for what it tells.
func message(key, name string, s episode.Severity) *Message {
	return &Message{Alert: &alerting.Alert{DedupKey: key, Identity: name, Severity: s}}
}

var epoch = time.Unix(1_700_000_000, 0)

func TestQueueOrder(t *testing.T) {
	for _, c := range []struct {
		name     string
		messages string // episode, number, hold in minutes after ~, ! for critical
		want     string
		later    string // an hour later
	}{
		{"in order", "a1 b1 a2 b2", "a1 b1 a2 b2", ""},
		{"critical first", "a1 b1 c1! b2", "c1 a1 b1 b2", ""},
		{"critical, with what stands before it in its episode", "a1 b1 b2! c1", "b1 b2 a1 c1", ""},
		{"held, with what comes after it in its episode", "a1~30 b1 a2 b2", "b1 b2", "a1 a2"},
		{"a critical one frees the held before it", "a1~30 b1~30 a2!", "a1 a2", "b1"},
		{"a critical one is not held by what comes after it", "a1! a2~30", "a1", "a2"},
		{"nothing", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var q Queue
			for _, word := range strings.Fields(c.messages) {
				name, hold, held := strings.Cut(word, "~")
				m := message(name[:1], name[:2], episode.Low)
				if held {
					var minutes int
					fmt.Sscan(hold, &minutes)
					m.HeldUntil = epoch.Add(time.Duration(minutes) * time.Minute)
				}
				if strings.HasSuffix(name, "!") {
					m.Alert.Severity = episode.Critical
				}
				q.Add(m)
			}
			if got := sent(&q, epoch); got != c.want {
				t.Errorf("at once: %q, want %q", got, c.want)
			}
			if got := sent(&q, epoch.Add(time.Hour)); got != c.later {
				t.Errorf("later: %q, want %q", got, c.later)
			}
			if m, wait := q.Next(epoch); m != nil || wait >= 0 || q.Len() != 0 {
				t.Errorf("in the end: %v, %v, %d left", m, wait, q.Len())
			}
		})
	}
}

// fail notes a failed attempt at the next message, to be repeated after a minute.
func fail(t *testing.T, q *Queue, now time.Time) string {
	t.Helper()
	m, wait := q.Next(now)
	if m == nil {
		t.Fatalf("nothing is due; wait %v", wait)
	}
	m.Attempts++
	q.Retry(m, now, time.Minute, 0)
	return m.Alert.Identity
}

// A message that the receiver cannot digest delays its own episode only.
func TestQueueStuck(t *testing.T) {
	var q Queue
	for _, name := range []string{"a1", "a2", "b1", "b2"} {
		q.Add(message(name[:1], name, episode.Low))
	}
	fail(t, &q, epoch)
	if got := sent(&q, epoch); got != "b1 b2" {
		t.Errorf("sent %q", got)
	}
	if m, wait := q.Next(epoch.Add(time.Second)); m != nil || wait != 59*time.Second {
		t.Errorf("%v, wait %v", m, wait)
	}
	if got := sent(&q, epoch.Add(time.Minute)); got != "a1 a2" {
		t.Errorf("sent %q", got)
	}
}

// A receiver that fails everything is tried with a few messages only, and with
// critical ones; once it takes one it gets the rest at once.
func TestQueueDown(t *testing.T) {
	var q Queue
	for i := range 100 {
		q.Add(message(fmt.Sprint("key", i), fmt.Sprint(i), episode.Low))
	}
	for range MaxFailing {
		fail(t, &q, epoch)
	}
	if m, wait := q.Next(epoch); m != nil || wait != time.Minute {
		t.Fatalf("the %dth is tried while %d fail: %v, %v", MaxFailing+1, MaxFailing, m, wait)
	}
	q.Add(message("grave", "grave", episode.Critical))
	if got := fail(t, &q, epoch); got != "grave" {
		t.Fatalf("tries %s", got)
	}
	now := epoch.Add(time.Minute)
	m, _ := q.Next(now)
	q.Done(m, true)
	if got := strings.Count(sent(&q, epoch), " ") + 1; got != 100 {
		t.Errorf("%d were sent once it worked again, want 100", got)
	}
}

// What the receiver asks for holds for all, also for what is critical.
func TestQueueAsked(t *testing.T) {
	var q Queue
	q.Add(message("a", "a", episode.Low))
	q.Add(message("b", "b", episode.Critical))
	m, _ := q.Next(epoch)
	m.Attempts++
	q.Retry(m, epoch, time.Second, time.Minute)
	if m, wait := q.Next(epoch.Add(time.Second)); m != nil || wait != 59*time.Second {
		t.Errorf("%v, wait %v", m, wait)
	}
	if got := sent(&q, epoch.Add(time.Minute)); got != "b a" {
		t.Errorf("sent %q", got)
	}
}

// Whatever fails and whatever is held, each message is sent once and each
// episode in its order.
func TestQueueLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Queue
		now, numbers, got := epoch, map[string]int{}, map[string]int{}
		want, count := rapid.IntRange(0, 60).Draw(t, "messages"), 0
		for added := 0; count < want; {
			if added < want && (q.Len() == 0 || rapid.Bool().Draw(t, "add")) {
				key := string(rune('a' + rapid.IntRange(0, 20).Draw(t, "episode")))
				m := message(key, fmt.Sprint(numbers[key]), episode.Low)
				numbers[key]++
				if rapid.IntRange(0, 9).Draw(t, "critical") == 0 {
					m.Alert.Severity = episode.Critical
				} else if rapid.Bool().Draw(t, "held") {
					m.HeldUntil = now.Add(time.Minute)
				}
				q.Add(m)
				added++
				continue
			}
			m, wait := q.Next(now)
			if m == nil {
				if wait <= 0 {
					t.Fatalf("%d are left and none will ever be due: %v", q.Len(), wait)
				}
				now = now.Add(wait)
				continue
			}
			if rapid.IntRange(0, 2).Draw(t, "fails") == 0 {
				m.Attempts++
				q.Retry(m, now, time.Second, time.Duration(rapid.IntRange(0, 1).Draw(t, "asked"))*time.Second)
				continue
			}
			if m.Alert.Identity != fmt.Sprint(got[m.Alert.DedupKey]) {
				t.Fatalf("of episode %s number %s is sent, want %d", m.Alert.DedupKey, m.Alert.Identity, got[m.Alert.DedupKey])
			}
			got[m.Alert.DedupKey]++
			count++
			q.Done(m, rapid.Bool().Draw(t, "taken"))
		}
	})
}
