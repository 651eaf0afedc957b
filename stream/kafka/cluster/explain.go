package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Explain adds to an error of Kafka what the reader can do about it.
func Explain(err error) error {
	hint := ""
	var recordHeader tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var closed *kgo.ErrFirstReadEOF
	switch {
	case err == nil:
		return nil
	case errors.As(err, &recordHeader):
		hint = "the broker's port does not speak TLS: set kafka.tls.enabled to false, or use its TLS port"
	case errors.As(err, &closed):
		hint = "what the port speaks and what kafka.tls.enabled and kafka.sasl say may differ: a plain listener hangs up on TLS, and one with SASL on a client without it"
	case strings.Contains(err.Error(), "plaintext connection speaking to a tls endpoint"): // it has no type
		hint = "the broker's port wants TLS: set kafka.tls.enabled to true, or use its plain port"
	case errors.As(err, &certificate):
		hint = "the broker's certificate is not trusted: set kafka.tls.ca_file to the CA that signed it, and kafka.tls.server_name if the name differs"
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		hint = "user name, password or mechanism is wrong: see kafka.sasl"
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		hint = "the broker does not offer this mechanism: see kafka.sasl.mechanism"
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed),
		errors.Is(err, kerr.TransactionalIDAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		hint = "the principal lacks a permission: `weir topics` prints the ACLs that weir needs"
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		hint = "the topic does not exist: check sources in the configuration, or create weir's own topics with `weir topics --create`"
	case errors.Is(err, kgo.ErrRecordTimeout), errors.Is(err, kgo.ErrRecordRetries):
		// The client keeps trying and forgets what the broker said.
		hint = "the broker refused what was written, or did not answer, until time was up: its log says why; check its disks (KAFKA_STORAGE_ERROR) and the replicas in sync (NOT_ENOUGH_REPLICAS)"
	case errors.Is(err, kerr.KafkaStorageError):
		hint = "the broker cannot write its log: check its disks"
	case errors.Is(err, kerr.InvalidReplicationFactor):
		hint = "there are fewer brokers than replication_factor"
	case errors.Is(err, context.DeadlineExceeded), isNetwork(err):
		hint = "no broker answered: check kafka.brokers, the network, and whether the port wants TLS (kafka.tls.enabled) or SASL"
	default:
		return err
	}
	return fmt.Errorf("%w (%s)", err, hint)
}

// Passes reports whether a fault may pass by itself once a broker has answered, as while
// another is away and its partitions are taken over. A topic that is not known does not
// come by itself.
func Passes(err error) bool {
	var code *kerr.Error
	var closed *kgo.ErrFirstReadEOF
	return isNetwork(err) || errors.As(err, &closed) || errors.As(err, &code) && code.Retriable && code != kerr.UnknownTopicOrPartition
}

func isNetwork(err error) bool {
	var timeout interface{ Timeout() bool }
	return kgo.IsRetryableBrokerErr(err) || errors.As(err, &timeout)
}
