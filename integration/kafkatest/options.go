package kafkatest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// User is one principal that can sign in: by SASL PLAIN and by SCRAM of both sizes.
type User struct{ Name, Password string }

// Option changes what Start runs. The plain default: no encryption, no
// authentication, no authorizer, three partitions for topics made on the fly.
type Option func(*settings)

type settings struct {
	tls, mutual bool
	sasl, acls  bool
	users       []User
	config      map[string]string
	disk        int64
	heap        string
	jvm         string
}

// dataDir holds the broker's log segments.
const dataDir = "/tmp/kraft-combined-logs"

// A test broker lives for seconds, so the optimizing compiler and a parallel
// collector would cost the test more than they give.
const shortLivedJVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

func newSettings(opts []Option) settings {
	s := settings{config: map[string]string{}, heap: "512M", jvm: shortLivedJVM}
	for _, o := range opts {
		o(&s)
	}
	return s
}

// check refuses options that contradict each other.
func (s settings) check() error {
	if s.acls && !s.sasl && !s.mutual {
		return errors.New("WithACLs needs a listener that knows who calls: add WithSASL or WithMutualTLS")
	}
	return nil
}

// WithTLS encrypts the client listener under a certificate of the test's own
// authority. TLSConfig and TLSFiles hold the client's side.
func WithTLS() Option { return func(s *settings) { s.tls = true } }

// WithMutualTLS is WithTLS, and the broker demands a client certificate. The
// one of TLSConfig and TLSFiles makes its bearer the principal User:weir.
func WithMutualTLS() Option { return func(s *settings) { s.tls, s.mutual = true, true } }

// WithSASL makes the client listener demand SASL: PLAIN, SCRAM-SHA-256,
// SCRAM-SHA-512 with the given users, and OAUTHBEARER with Kafka's validator of
// unsecured tokens (see UnsecuredToken), whose subject is the principal.
func WithSASL(users ...User) Option {
	return func(s *settings) { s.sasl, s.users = true, append(s.users, users...) }
}

// WithACLs puts Kafka's authorizer before the client listener: a principal may
// do nothing without an ACL. It needs WithSASL or WithMutualTLS.
func WithACLs() Option { return func(s *settings) { s.acls = true } }

// WithConfig sets one broker setting, say auto.create.topics.enable to false.
// It stands over the harness's own settings.
func WithConfig(key, value string) Option {
	return func(s *settings) { s.config[key] = value }
}

// WithDisk gives the broker's data a disk of that many bytes, held in memory,
// so that a test can fill it. It must hold what the broker writes when it
// starts; 64 MiB does. Stop and Kill lose it.
func WithDisk(bytes int64) Option { return func(s *settings) { s.disk = bytes } }

// WithJVM sets the broker's heap (in the JVM's form, say "2G"; 512M by default)
// and leaves the JVM its full compiler and collector: for measurements, where
// the default would make the broker the slow part.
func WithJVM(heap string) Option {
	return func(s *settings) { s.heap, s.jvm = heap, "" }
}

// WithHeap sets the broker's heap alone, say "256M" where several brokers share a
// machine.
func WithHeap(heap string) Option { return func(s *settings) { s.heap = heap } }

// WithPatience keeps a broker that is alone, and that is never killed, from being taken for
// lost where the machine is slow: its partitions would have no leader then, and Kafka 4.3
// forgets the ends of transactions meanwhile (KAFKA-20734).
func WithPatience() Option { return WithConfig("broker.session.timeout.ms", "300000") }

// properties is the whole server.properties: the image's own defaults do not
// apply once one setting is given.
func (b *Broker) properties() map[string]string {
	s := b.settings
	copies, inStep := strconv.Itoa(int(b.copies())), "1"
	if b.copies() > 2 {
		inStep = "2"
	}
	p := map[string]string{
		"process.roles":                  "broker,controller",
		"node.id":                        strconv.Itoa(b.id),
		"controller.quorum.voters":       b.voters(),
		"controller.listener.names":      "CONTROLLER",
		"inter.broker.listener.name":     "INTERNAL",
		"log.dirs":                       dataDir,
		"listeners":                      fmt.Sprintf("CLIENT://:%s,INTERNAL://:%s,ADMIN://:%s,CONTROLLER://:%s", number(clientPort), internalPort, number(adminPort), controllerPort),
		"advertised.listeners":           fmt.Sprintf("CLIENT://%s,INTERNAL://%s,ADMIN://%s", b.Addr(), b.name()+":"+internalPort, b.AdminAddr()),
		"listener.security.protocol.map": "CLIENT:" + s.protocol() + ",INTERNAL:PLAINTEXT,ADMIN:PLAINTEXT,CONTROLLER:PLAINTEXT",

		"num.partitions":             "3",
		"default.replication.factor": copies,
		"min.insync.replicas":        inStep,
		// 50 partitions of internal topics cost a second to make.
		"offsets.topic.replication.factor":                 copies,
		"offsets.topic.num.partitions":                     "5",
		"transaction.state.log.replication.factor":         copies,
		"transaction.state.log.min.isr":                    inStep,
		"transaction.state.log.num.partitions":             "5",
		"share.coordinator.state.topic.replication.factor": copies,
		"share.coordinator.state.topic.min.isr":            inStep,
		// A test's first consumer need not wait for others to join.
		"group.initial.rebalance.delay.ms": "0",
		// By default the cleaner takes 128 MiB, half of a small heap.
		"log.cleaner.dedupe.buffer.size": "8388608",
		// So that kill tests may use short sessions.
		"group.min.session.timeout.ms": "1000",
	}
	if len(b.cluster) > 1 {
		// Where the machine is slow, controllers are not to depose each other all the time.
		p["controller.quorum.fetch.timeout.ms"] = "6000"
		p["controller.quorum.election.timeout.ms"] = "3000"
		p["controller.quorum.request.timeout.ms"] = "6000"
	}
	if s.tls {
		p["listener.name.client.ssl.keystore.type"] = "PEM"
		p["listener.name.client.ssl.keystore.location"] = serverKeystore
		p["listener.name.client.ssl.truststore.type"] = "PEM"
		p["listener.name.client.ssl.truststore.location"] = serverTruststore
		p["listener.name.client.ssl.client.auth"] = "none"
		p["listener.name.client.ssl.principal.mapping.rules"] = "RULE:^CN=(.*?)$/$1/,DEFAULT"
	}
	if s.mutual {
		p["listener.name.client.ssl.client.auth"] = "required"
	}
	if s.sasl {
		const module = "org.apache.kafka.common.security."
		p["listener.name.client.sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"
		p["listener.name.client.plain.sasl.jaas.config"] = module + "plain.PlainLoginModule required" + plainUsers(s.users) + ";"
		p["listener.name.client.scram-sha-256.sasl.jaas.config"] = module + "scram.ScramLoginModule required;"
		p["listener.name.client.scram-sha-512.sasl.jaas.config"] = module + "scram.ScramLoginModule required;"
		p["listener.name.client.oauthbearer.sasl.jaas.config"] = module + `oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`
	}
	if s.acls {
		p["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
		// The plain listeners' callers are anonymous: the broker itself and the test.
		p["super.users"] = "User:ANONYMOUS"
		p["allow.everyone.if.no.acl.found"] = "false"
	}
	for key, value := range s.config {
		p[key] = value
	}
	return p
}

// protocol is Kafka's name for what the client listener speaks.
func (s settings) protocol() string {
	switch {
	case s.sasl && s.tls:
		return "SASL_SSL"
	case s.sasl:
		return "SASL_PLAINTEXT"
	case s.tls:
		return "SSL"
	}
	return "PLAINTEXT"
}

// plainUsers is the part of a JAAS entry that lists who may sign in.
func plainUsers(users []User) string {
	var b strings.Builder
	for _, u := range users {
		fmt.Fprintf(&b, " user_%s=%q", u.Name, u.Password)
	}
	return b.String()
}

// envName is the variable by which the image takes a setting.
func envName(key string) string {
	return "KAFKA_" + strings.ToUpper(strings.NewReplacer("_", "__", "-", "___", ".", "_").Replace(key))
}

// number is the number of a port such as 9092/tcp.
func number(port string) string { return strings.TrimSuffix(port, "/tcp") }
