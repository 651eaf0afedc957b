// Package integration_test runs the real binary on a real Kafka, as operating
// system processes that are configured, asked, killed and stopped from outside,
// and holds what comes out to what a backtest of the same events says.
//
// weir_test.go runs processes, deployment_test.go gives them a place on a
// broker, traffic_test.go gives them something to read. Each of the other files
// proves one promise.
package integration_test

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/weirhq/weir/integration/kafkatest"
)

// sideBySide is how many tests run at the same time on a small machine.
const sideBySide = 4

func TestMain(m *testing.M) {
	flag.Parse()
	// These tests mostly wait: for brokers to start, for sessions of the killed
	// to end, for sources to count as idle. -parallel says otherwise.
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if n := max(sideBySide, runtime.GOMAXPROCS(0)); !given {
		_ = flag.Set("test.parallel", strconv.Itoa(n)) // a number it takes
	}
	code := kafkatest.Run(m)
	_ = os.RemoveAll(scratch()) // the machine's temporary folder at worst keeps it
	os.Exit(code)
}
