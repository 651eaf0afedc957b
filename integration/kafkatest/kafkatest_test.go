package kafkatest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/weirhq/weir/integration/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

// limit bounds one test's waiting on the broker.
const limit = 60 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// produce writes values to the topic and fails the test unless all are accepted.
func produce(t *testing.T, cl *kgo.Client, topic string, values ...string) {
	t.Helper()
	for _, v := range values {
		err := cl.ProduceSync(testContext(t), &kgo.Record{Topic: topic, Value: []byte(v)}).FirstErr()
		if err != nil {
			t.Fatalf("producing %q: %v", v, err)
		}
	}
}

// consume reads n values of the topic from its start.
func consume(t *testing.T, b *kafkatest.Broker, topic string, n int, opts ...kgo.Opt) []string {
	t.Helper()
	cl := b.Client(t, append(opts, kgo.ConsumeTopics(topic))...)
	ctx := testContext(t)
	var got []string
	for len(got) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("consuming %s: %v (have %q)", topic, err, got)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	return got
}

// A reader of committed records sees a committed transaction and not an aborted one.
func TestTransaction(t *testing.T) {
	t.Parallel()
	b := kafkatest.Shared(t)
	topic := b.Topic(t, 1)
	cl := b.Client(t, kgo.TransactionalID(kafkatest.UniqueName(t)))
	for _, step := range []struct {
		value string
		end   kgo.TransactionEndTry
	}{
		{"first", kgo.TryCommit},
		{"undone", kgo.TryAbort},
		{"second", kgo.TryCommit},
	} {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(t, cl, topic, step.value)
		if err := cl.EndTransaction(testContext(t), step.end); err != nil {
			t.Fatal(err)
		}
	}
	got := consume(t, b, topic, 2, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if want := []string{"first", "second"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read committed: %q, want %q", got, want)
	}
}

// The broker keeps data and address over an orderly restart and over a kill.
func TestRestart(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t)
	addr := b.Addr()
	topic := b.Topic(t, 1)
	cl := b.Client(t)

	produce(t, cl, topic, "before")
	b.Restart(t)
	produce(t, cl, topic, "restarted")
	b.Kill(t)
	b.Start(t)
	produce(t, cl, topic, "killed")

	if b.Addr() != addr {
		t.Errorf("address after the restarts: %s, want %s", b.Addr(), addr)
	}
	got := consume(t, b, topic, 3)
	if want := []string{"before", "restarted", "killed"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after the restarts: %q, want %q", got, want)
	}
}

// A paused broker answers nothing until it is thawed.
func TestPause(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t)
	cl := b.Client(t)
	if err := cl.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	b.Pause(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := cl.Ping(ctx); err == nil {
		t.Error("a paused broker answered")
	}
	b.Unpause(t)
	if err := cl.Ping(testContext(t)); err != nil {
		t.Errorf("after Unpause: %v", err)
	}
}

func TestConfigAndTools(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.WithConfig("auto.create.topics.enable", "false"))

	err := b.Client(t).ProduceSync(testContext(t), &kgo.Record{Topic: "absent", Value: []byte("x")}).FirstErr()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("producing to an absent topic: %v, want UNKNOWN_TOPIC_OR_PARTITION", err)
	}

	topic := b.Topic(t, 2, "cleanup.policy", "compact")
	out := b.Exec(t, "/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", kafkatest.InternalAddr, "--describe", "--topic", topic)
	for _, want := range []string{"PartitionCount: 2", "cleanup.policy=compact"} {
		if !strings.Contains(out, want) {
			t.Errorf("kafka-topics.sh does not say %q:\n%s", want, out)
		}
	}
	if !strings.Contains(b.Logs(), "Kafka Server started") {
		t.Error("the log does not say that the broker started")
	}
}

// A broker whose disk is full refuses to go on, and a new one is unharmed.
func TestDisk(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.WithDisk(64<<20))
	topic := b.Topic(t, 1)
	cl := b.Client(t, kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RecordDeliveryTimeout(5*time.Second),
		kgo.RequestRetries(2))
	value := make([]byte, 900<<10)
	for range 128 {
		err := cl.ProduceSync(testContext(t), &kgo.Record{Topic: topic, Value: value}).FirstErr()
		if err != nil {
			return
		}
	}
	t.Errorf("a disk of 64 MiB took 112 MiB")
}

// The client listener lets in who shows the right credentials, over every
// mechanism and wire that weir can be configured for, and nobody else.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	alice := kafkatest.User{Name: "alice", Password: "alice-secret"}
	for _, broker := range []struct {
		name string
		opts []kafkatest.Option
	}{
		{"SASL_PLAINTEXT", []kafkatest.Option{kafkatest.WithSASL(alice)}},
		{"SASL_SSL", []kafkatest.Option{kafkatest.WithSASL(alice), kafkatest.WithTLS()}},
	} {
		t.Run(broker.name, func(t *testing.T) {
			t.Parallel()
			b := kafkatest.Start(t, broker.opts...)
			topic := b.Topic(t, 1)
			for _, m := range mechanisms(alice) {
				t.Run(m.Name(), func(t *testing.T) {
					cl := b.Client(t, kgo.SASL(m))
					produce(t, cl, topic, m.Name())
				})
			}
			wrong := kafkatest.User{Name: "alice", Password: "guessed"}
			for _, m := range mechanisms(wrong)[:3] { // a token needs no password
				t.Run(m.Name()+" with a wrong password", func(t *testing.T) {
					err := b.Client(t, kgo.SASL(m)).Ping(testContext(t))
					if !errors.Is(err, kerr.SaslAuthenticationFailed) {
						t.Errorf("got %v, want SASL_AUTHENTICATION_FAILED", err)
					}
				})
			}
			t.Run("no credentials", func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				if err := b.Client(t).Ping(ctx); err == nil {
					t.Error("the broker let in a client without credentials")
				}
			})
			got := consume(t, b, topic, 4, kgo.SASL(mechanisms(alice)[0]))
			want := "[PLAIN SCRAM-SHA-256 SCRAM-SHA-512 OAUTHBEARER]"
			if fmt.Sprint(got) != want {
				t.Errorf("what the mechanisms wrote: %q, want %s", got, want)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.WithTLS())
	topic := b.Topic(t, 1)
	produce(t, b.Client(t), topic, "encrypted")
	if got := consume(t, b, topic, 1); got[0] != "encrypted" {
		t.Errorf("read %q", got)
	}
	distrusting := b.TLSConfig()
	distrusting.RootCAs = nil // the system's, which do not know the test's authority
	err := b.Client(t, kgo.DialTLSConfig(distrusting)).Ping(testContext(t))
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client that does not know the authority: %v, want a certificate error", err)
	}
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	b := kafkatest.Start(t, kafkatest.WithMutualTLS(), kafkatest.WithACLs())
	topic := b.Topic(t, 1)
	admin := b.Admin(t)
	_, err := admin.CreateACLs(testContext(t), kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).
		Operations(kadm.OpWrite, kadm.OpDescribe).Allow("User:"+kafkatest.ClientPrincipal).AllowHosts())
	if err != nil {
		t.Fatal(err)
	}
	// That it may write shows that the certificate's name became the principal.
	produce(t, b.Client(t), topic, "by certificate")

	anonymous := b.TLSConfig()
	anonymous.Certificates = nil
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := b.Client(t, kgo.DialTLSConfig(anonymous)).Ping(ctx); err == nil {
		t.Error("the broker let in a client without a certificate")
	}
}

// A principal may do what an ACL allows, and is told when it may not.
func TestACLs(t *testing.T) {
	t.Parallel()
	alice, mallory := kafkatest.User{Name: "alice", Password: "a"}, kafkatest.User{Name: "mallory", Password: "m"}
	b := kafkatest.Start(t, kafkatest.WithSASL(alice, mallory), kafkatest.WithACLs())
	topic := b.Topic(t, 1)
	_, err := b.Admin(t).CreateACLs(testContext(t), kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).
		Operations(kadm.OpWrite, kadm.OpDescribe).Allow("User:alice").AllowHosts())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		user kafkatest.User
		want error
	}{
		{alice, nil},
		{mallory, kerr.TopicAuthorizationFailed},
	} {
		cl := b.Client(t, kgo.SASL(mechanisms(tc.user)[2]))
		err := cl.ProduceSync(testContext(t), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
		if !errors.Is(err, tc.want) {
			t.Errorf("%s writes: %v, want %v", tc.user.Name, err, tc.want)
		}
	}
}
