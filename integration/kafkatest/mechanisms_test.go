package kafkatest_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/weirhq/weir/integration/kafkatest"
)

// mechanisms are the ways in which a user can sign in.
func mechanisms(u kafkatest.User) []sasl.Mechanism {
	return []sasl.Mechanism{
		plain.Auth{User: u.Name, Pass: u.Password}.AsMechanism(),
		scram.Auth{User: u.Name, Pass: u.Password}.AsSha256Mechanism(),
		scram.Auth{User: u.Name, Pass: u.Password}.AsSha512Mechanism(),
		oauth.Auth{Token: kafkatest.UnsecuredToken(u.Name)}.AsMechanism(),
	}
}

// Contradicting options are refused before anything is started.
func TestACLsNeedPrincipals(t *testing.T) {
	kafkatest.Require(t)
	refused := runRefused(t, func(t testing.TB) { kafkatest.Start(t, kafkatest.WithACLs()) })
	if !refused {
		t.Error("WithACLs was taken on a listener that does not know who calls")
	}
}

// failing is a test that records its failure in place of failing.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Fatalf(string, ...any) {
	f.failed = true
	panic(f)
}

// runRefused tells whether fn fails its test.
func runRefused(t *testing.T, fn func(testing.TB)) bool {
	f := &failing{TB: t}
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(f) {
				panic(r)
			}
		}()
		fn(f)
	}()
	return f.failed
}
