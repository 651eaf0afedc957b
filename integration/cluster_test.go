package integration_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/integration/kafkatest"
	"github.com/weirhq/weir/stream/ingest"
)

const (
	// roundsByDefault is how often TestSoakCluster shakes, unless WEIR_SOAK_ROUNDS says
	// otherwise: 60, or 81-100.
	roundsByDefault = 200
	// roundsPerRun is how many rounds one deployment goes through.
	roundsPerRun = 20
)

// Three brokers keep three copies, two of which must be in step. In each round a
// process of weir, a broker, or one of each is killed, stopped or frozen while events
// come. After each round weir.alerts must be the beginning of what a backtest says,
// and after the last all of it, byte for byte.
func TestSoakCluster(t *testing.T) {
	if !soak() {
		t.Skip("takes long: make soak")
	}
	from, to := soakRounds(t)
	c := closed(t, company(t, soakProof.days))
	// On a busy machine a broker that starts again may need more than the minute that it
	// gives itself to register.
	brokers := kafkatest.StartCluster(t, 3, kafkatest.WithHeap("256M"), kafkatest.WithConfig("initial.broker.registration.timeout.ms", "300000"))
	for first := from - 1; first < to; first += roundsPerRun {
		last := min(first+roundsPerRun, to)
		if !t.Run(fmt.Sprintf("rounds-%d-%d", first+1, last), func(t *testing.T) { shakeCluster(t, brokers, c, first, last) }) {
			return
		}
	}
}

// soakRounds returns the first and the last round to play. What a round does depends on
// the run of roundsPerRun that it belongs to, so the first must begin one.
func soakRounds(t *testing.T) (from, to int) {
	t.Helper()
	text := os.Getenv("WEIR_SOAK_ROUNDS")
	if text == "" {
		return 1, roundsByDefault
	}
	first, last, both := strings.Cut(text, "-")
	if !both {
		first, last = "1", first
	}
	from, err := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if err != nil || err2 != nil || from < 1 || from%roundsPerRun != 1 || to < from {
		t.Fatalf("WEIR_SOAK_ROUNDS is %q, want a number from 1 on, or two as in 81-100, the first of them 1, 21, 41 …", text)
	}
	return from, to
}

// shakeCluster plays some rounds against a deployment of its own, to its end.
func shakeCluster(t *testing.T, brokers []*kafkatest.Broker, c *traffic, first, last int) {
	dice := rand.New(rand.NewPCG(15, uint64(first)))
	brokers[0].WaitInStep(t) // or there may be too few brokers for three copies
	d, feed := feeding(t, brokers[0], c)
	d.idle, d.waiting = neverIdle, partitions*ingest.LookAhead
	crowd := newCrowd(t, d, dice)
	crowd.freezes = true
	crowd.alive[0].ready(t) // its topics are made, three copies of each
	for round := first; round < last; round++ {
		what, heal := "", func() {}
		process, broker := dice.IntN(3) > 0, dice.IntN(3) > 0
		if broker {
			what, heal = breakBroker(t, dice, brokers)
		}
		if process || !broker {
			what += " " + crowd.shake(t)
		}
		for range max(1, pieces/roundsPerRun) {
			time.Sleep(crowd.moment())
			feed.piece(t)
		}
		heal()
		brokers[0].WaitInStep(t)
		got := d.complete(t, 0)
		same(t, fmt.Sprintf("round %d:%s", round+1, what), got, c.alerts[:min(len(got), len(c.alerts))])
		t.Logf("round %d:%s; %d alerts of %d", round+1, what, len(got), len(c.alerts))
	}
	feed.rest(t)
	crowd.stop(t)
	// The last events wait for later ones, or for a source that counts as idle.
	d.idle, d.waiting = 5*time.Second, 0
	crowd.alive = nil
	crowd.add(t)
	crowd.add(t)
	all := func() []string { // but that the settings have changed
		return slices.DeleteFunc(d.complete(t, len(c.alerts)+1), func(alert string) bool {
			return strings.Contains(alert, `"fact":"settings_changed"`)
		})
	}
	same(t, "all rounds", all(), c.alerts)
	crowd.stop(t)
	same(t, "all rounds, after their end", all(), c.alerts)
	must(t, "ledger", "verify", "-c", d.config(t, "ledger"))
}

// breakBroker kills, stops or freezes a broker, up to five seconds longer than the
// others wait before they take it for lost (9 s). It returns what mends it.
func breakBroker(t *testing.T, dice *rand.Rand, brokers []*kafkatest.Broker) (what string, heal func()) {
	t.Helper()
	i := dice.IntN(len(brokers))
	b, from, gone := brokers[i], time.Now(), time.Duration(dice.Int64N(int64(14*time.Second)))
	mend := b.Start
	switch dice.IntN(3) {
	case 0:
		what = "killed"
		b.Kill(t)
	case 1:
		what = "stopped"
		b.Stop(t)
	default:
		what, mend = "froze", b.Unpause
		b.Pause(t)
	}
	return fmt.Sprintf(" %s broker %d for %.0f s", what, i+1, gone.Seconds()), func() {
		time.Sleep(time.Until(from.Add(gone)))
		mend(t)
	}
}

// neverIdle is longer than a run lasts: between two rounds no partition may count as
// idle, or what comes next could be late.
const neverIdle = 12 * time.Hour

// closed returns traffic that ends in the same moment in each partition, since none of
// them counts as idle: its last event comes once more for each.
func closed(t *testing.T, c *traffic) *traffic {
	t.Helper()
	out := &traffic{native: filepath.Join(scratch(), "closed.ndjson"), events: slices.Clone(c.events)}
	for range 2 * partitions * runLength {
		out.events = append(out.events, c.events[len(c.events)-1])
	}
	write(t, out.native, string(bytes.Join(out.events, []byte("\n")))+"\n")
	out.alerts = backtest(t, "native", out.native)
	return out
}
