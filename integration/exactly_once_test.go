package integration_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirhq/weir/integration/kafkatest"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// The proof comes in two sizes: make test takes few runs of few days, make soak
// twenty runs of two weeks, in which a process is killed or frozen 320 times.
type proof struct {
	days, runs, kills int
	freezes           bool
}

var (
	shortProof = proof{days: 8, runs: 3, kills: 3}
	soakProof  = proof{days: 15, runs: 20, kills: 8, freezes: true}
)

// Whatever is killed and started whenever, weir.alerts is that of a calm run,
// which is that of a backtest, byte for byte.
func TestExactlyOnce(t *testing.T) {
	if soak() {
		t.Skip("TestSoakExactlyOnce is the long form of it")
	}
	exactlyOnce(t, shortProof)
}

// TestSoakExactlyOnce is the long form of TestExactlyOnce.
func TestSoakExactlyOnce(t *testing.T) {
	if !soak() {
		t.Skip("takes long: make soak")
	}
	exactlyOnce(t, soakProof)
}

func exactlyOnce(t *testing.T, p proof) {
	c := company(t, p.days)
	if !strings.Contains(strings.Join(c.alerts, "\n"), `"fact":"unissued_token"`) {
		t.Fatalf("%d days of traffic raise no unissued token, so that nothing is shown of the join", p.days)
	}
	b := kafkatest.Shared(t)
	t.Run("calm", func(t *testing.T) {
		t.Parallel()
		d, feed := feeding(t, b, c)
		one := d.start(t, "one")
		feed.rest(t)
		same(t, "calm run", d.complete(t, len(c.alerts)), c.alerts)
		one.stop(t)

		// Whoever comes after restores everything, and has nothing to add.
		two := d.start(t, "two")
		two.ready(t)
		same(t, "calm run, restored", d.complete(t, len(c.alerts)), c.alerts)
		two.stop(t)
	})
	for run := range p.runs {
		t.Run(fmt.Sprintf("kills-%d", run+1), func(t *testing.T) {
			t.Parallel()
			d, feed := feeding(t, b, c)
			crowd := newCrowd(t, d, rand.New(rand.NewPCG(3, uint64(run))))
			crowd.freezes = p.freezes
			feed.meanwhile(t, p.kills, func() { crowd.shake(t) })
			for range p.kills { // what ingest has read is still being scored
				time.Sleep(crowd.moment())
				crowd.shake(t)
			}
			same(t, "run with kills", d.complete(t, len(c.alerts)), c.alerts)
			crowd.stop(t)
			same(t, "run with kills, after its end", d.complete(t, len(c.alerts)), c.alerts)
			must(t, "ledger", "verify", "-c", d.config(t, "ledger"))
		})
	}
	t.Run("broker-restart", func(t *testing.T) {
		t.Parallel()
		b := kafkatest.Start(t, kafkatest.WithPatience())
		d, feed := feeding(t, b, c)
		// While the broker is away nothing can come, and that must not look like
		// sources that have nothing to say.
		d.idle = 20 * time.Second
		one, two := d.start(t, "one"), d.start(t, "two")
		feed.meanwhile(t, 1, func() { restartBetween(t, b, one, two) })
		restartBetween(t, b, one, two) // while what came is scored
		same(t, "run with broker restarts", d.complete(t, len(c.alerts)), c.alerts)
		one.stop(t)
		two.stop(t)
	})
}

// restartBetween restarts a broker that is alone while processes stand still, in the midst
// of their transactions, but at no transaction's end: Kafka 4.3 forgets an end that it has
// granted where a partition has no leader, as while such a broker stops or starts, and
// nothing can be read past that then, whoever reads (KAFKA-20734). TestSoakCluster
// restarts brokers whenever it likes.
func restartBetween(t *testing.T, b *kafkatest.Broker, processes ...*process) {
	t.Helper()
	signal := func(s syscall.Signal) {
		for _, p := range processes {
			if err := p.cmd.Process.Signal(s); err != nil {
				t.Fatalf("%s, which should run: %v", p.name, err)
			}
		}
	}
	signal(syscall.SIGSTOP)
	adm := b.Admin(t)
	eventually(t, shortLimit, "no transaction is ending", func() bool {
		ending, err := adm.ListTransactions(t.Context(), nil, []string{"PrepareCommit", "PrepareAbort"})
		return err == nil && len(ending) == 0
	})
	b.Restart(t)
	signal(syscall.SIGCONT)
}

// crowd is two or three processes of one deployment that die and are replaced
// as the dice say.
type crowd struct {
	deployment *deployment
	dice       *rand.Rand
	alive      []*process
	names      int  // given so far
	freezes    bool // some are not killed, but frozen for a while
	frozen     sync.WaitGroup
}

func newCrowd(t testing.TB, d *deployment, dice *rand.Rand) *crowd {
	t.Helper()
	c := &crowd{deployment: d, dice: dice}
	c.add(t)
	c.add(t)
	return c
}

// add starts a process under a new name.
func (c *crowd) add(t testing.TB) {
	t.Helper()
	c.names++
	c.alive = append(c.alive, c.deployment.start(t, fmt.Sprintf("p%d", c.names)))
}

// shake kills a process. Another takes its place: under the same name, as after
// a crash, or under a new one, as after the loss of a machine; sometimes two.
// Or it freezes one. It returns what it did.
func (c *crowd) shake(t testing.TB) string {
	t.Helper()
	i := c.dice.IntN(len(c.alive))
	if c.freezes && c.dice.IntN(4) == 0 {
		c.freeze(t, c.alive[i])
		return "froze " + c.alive[i].name
	}
	dead := c.alive[i]
	c.alive = append(c.alive[:i], c.alive[i+1:]...)
	dead.kill(t)
	if c.dice.IntN(2) == 0 {
		c.alive = append(c.alive, c.deployment.start(t, dead.name))
	} else {
		c.add(t)
	}
	if len(c.alive) < 3 && c.dice.IntN(3) == 0 {
		c.add(t)
	}
	return "killed " + dead.name
}

// frozenFor is how long a process stands still: five seconds more than its transactions
// may last, and twice as long as the broker keeps its sessions. The time is what is
// tested, not a wait for luck: nothing is expected to have happened by its end, and the
// alerts must be right however far the others have come by then.
const frozenFor = cluster.TransactionLimit + 5*time.Second

// freeze stops a process where it stands, and has it go on after frozenFor, when others
// have its work.
func (c *crowd) freeze(t testing.TB, p *process) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatalf("freezing %s, which should run: %v", p.name, err)
	}
	c.frozen.Go(func() {
		time.Sleep(frozenFor)
		_ = p.cmd.Process.Signal(syscall.SIGCONT) // it may have been killed meanwhile
	})
}

// moment is how long until the next kill.
func (c *crowd) moment() time.Duration {
	return 200*time.Millisecond + time.Duration(c.dice.Int64N(int64(4*time.Second)))
}

// stop ends all processes in order.
func (c *crowd) stop(t testing.TB) {
	t.Helper()
	c.frozen.Wait()
	for _, p := range c.alive {
		p.stop(t)
	}
}

// feeder writes traffic to a source topic piece by piece, in order of time, so
// that the processes meet it while it comes.
type feeder struct {
	client *kgo.Client
	topic  string
	events [][]byte
	next   int
}

// pieces is into how many the traffic is cut.
const pieces = 60

// feeding prepares a deployment whose source gets the traffic from a feeder. A
// first piece is there at once, so that no partition begins as idle.
func feeding(t testing.TB, b *kafkatest.Broker, c *traffic) (*deployment, *feeder) {
	t.Helper()
	f := &feeder{client: producer(t, b), topic: b.Topic(t, partitions), events: c.events}
	f.piece(t)
	d := deploy(t, b, f.topic)
	d.idle = 5 * time.Second // longer than the feeder ever pauses
	return d, f
}

// partitions of the source topics.
const partitions = 4

// piece writes one piece more and reports whether that was the last.
func (f *feeder) piece(t testing.TB) (last bool) {
	t.Helper()
	end := min(f.next+len(f.events)/pieces+1, len(f.events))
	produce(t, f.client, f.topic, interleaved(partitions), f.next, f.events[f.next:end])
	f.next = end
	return end == len(f.events)
}

// rest writes all that is left.
func (f *feeder) rest(t testing.TB) {
	t.Helper()
	for !f.piece(t) {
		time.Sleep(pace)
	}
}

// meanwhile writes all that is left and does something so many times at even
// distances while it does.
func (f *feeder) meanwhile(t testing.TB, times int, do func()) {
	t.Helper()
	for n := 1; !f.piece(t); n++ {
		time.Sleep(pace)
		if n%(pieces/(times+1)) == 0 && times > 0 {
			do()
			times--
		}
	}
}

// pace is the time between two pieces.
const pace = 100 * time.Millisecond
