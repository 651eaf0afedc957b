package kafkatest

import (
	"os"
	"sync"
	"testing"
)

// shared is the plain broker of this process, started by the first call of
// Shared and removed by Main.
var shared struct {
	sync.Mutex
	main   bool // Main runs, and will remove it
	broker *Broker
	err    error
}

// Main runs a package's tests and removes the shared broker after them. A
// package that calls Shared has
//
//	func TestMain(m *testing.M) { kafkatest.Main(m) }
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a package that has more to clear away before it exits with
// the code that Run returns.
func Run(m *testing.M) int {
	shared.main = true
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.broker != nil {
		shared.broker.remove()
	}
	return code
}

// Shared returns the plain broker that all tests of this process share, to save
// the seconds of a start. Tests keep apart by topics, groups and transactional
// ids of their own (see Broker.Topic), and neither stop nor configure it.
func Shared(t testing.TB) *Broker {
	t.Helper()
	Require(t)
	shared.Lock()
	defer shared.Unlock()
	if !shared.main {
		t.Fatal("kafkatest.Shared needs func TestMain(m *testing.M) { kafkatest.Main(m) } in this package, which removes the broker")
	}
	if shared.broker == nil && shared.err == nil {
		// It is its own controller: where the machine is so busy that it misses its own
		// heartbeats for nine seconds, it would shut itself out. One that is killed must
		// wait for its old session to end, so this is only for one that never is.
		shared.broker, shared.err = start(os.TempDir(), newSettings([]Option{WithConfig("broker.session.timeout.ms", "60000")}))
	}
	if shared.err != nil {
		t.Fatalf("starting the shared Kafka: %v", shared.err)
	}
	t.Cleanup(func() { shared.broker.logOnFailure(t) })
	return shared.broker
}
