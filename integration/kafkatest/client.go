package kafkatest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ClientOpts are the options by which a kgo client reaches the client listeners:
// the addresses and, under WithTLS, the TLS configuration. SASL is the test's to
// add.
func (b *Broker) ClientOpts() []kgo.Opt {
	opts := []kgo.Opt{kgo.SeedBrokers(b.Addrs()...)}
	if cfg := b.TLSConfig(); cfg != nil {
		opts = append(opts, kgo.DialTLSConfig(cfg))
	}
	return opts
}

// Client returns a client of the client listener that is closed when the test
// ends. Options given here stand over those of ClientOpts.
func (b *Broker) Client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(b.ClientOpts(), opts...)...)
	if err != nil {
		t.Fatalf("making a Kafka client: %v", err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// Admin returns an admin client on the plain listener, where everything is
// allowed. It is closed when the test ends.
func (b *Broker) Admin(t testing.TB) *kadm.Client {
	t.Helper()
	cl, err := kadm.NewOptClient(kgo.SeedBrokers(b.AdminAddrs()...))
	if err != nil {
		t.Fatalf("making a Kafka admin client: %v", err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// Topic makes a topic that no other test uses, named after the test, and
// returns its name. Settings are pairs of key and value, say "cleanup.policy",
// "compact".
func (b *Broker) Topic(t testing.TB, partitions int32, settings ...string) string {
	t.Helper()
	if len(settings)%2 != 0 {
		t.Fatalf("making a topic: settings are pairs of key and value, got %q", settings)
	}
	configs := map[string]*string{}
	for i := 0; i < len(settings); i += 2 {
		configs[settings[i]] = &settings[i+1]
	}
	name := UniqueName(t)
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	if _, err := b.Admin(t).CreateTopic(ctx, partitions, b.copies(), configs, name); err != nil {
		t.Fatalf("making topic %s: %v", name, err)
	}
	return name
}

// UniqueName returns a name that is a legal topic, group and transactional id
// and is used by no other call: the test's name, and the time.
func UniqueName(t testing.TB) string {
	legal := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '-'
	}, t.Name())
	return fmt.Sprintf("%.150s-%d", legal, time.Now().UnixNano())
}

// UnsecuredToken returns an unsigned JWT for the subject, valid for an hour: what
// the broker's OAUTHBEARER accepts under WithSASL (RFC 7515, appendix A.5).
func UnsecuredToken(subject string) string {
	now := time.Now().Unix()
	claims, err := json.Marshal(map[string]any{"sub": subject, "iat": now - 5, "exp": now + 3600})
	if err != nil {
		panic(err) // a string and two integers
	}
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none"}`)) + "." + part(claims) + "."
}
