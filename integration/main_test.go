// Package integration_test runs the real binary on a real Kafka, as operating
// system processes that are configured, asked, killed and stopped from outside,
// and holds what comes out to what a backtest of the same events says.
//
// weir_test.go runs processes, deployment_test.go gives them a place on a
// broker, traffic_test.go gives them something to read. Each of the other files
// proves one promise.
package integration_test

import (
	"os"
	"testing"

	"github.com/weirhq/weir/integration/kafkatest"
)

func TestMain(m *testing.M) {
	code := kafkatest.Run(m)
	_ = os.RemoveAll(scratch()) // the machine's temporary folder at worst keeps it
	os.Exit(code)
}
