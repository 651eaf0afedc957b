package integration_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirhq/weir/integration/kafkatest"
)

// A process that cannot start says why and what to do, and exits with 1.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := kafkatest.Shared(t)
	for _, test := range []struct {
		name   string
		change func(*deployment)
		hints  []string
	}{
		{"wrong address", func(d *deployment) { d.brokers = []string{freeAddress(t)} },
			[]string{"reaching Kafka at", "no broker answered: check kafka.brokers"}},
		{"TLS to a plain port", func(d *deployment) { d.kafka = "  tls: {enabled: true}\n" },
			[]string{"kafka.tls.enabled", "a plain listener hangs up on TLS"}},
		{"missing topic", func(d *deployment) { d.sources = []string{"nowhere-" + d.group} },
			[]string{"source topic nowhere-", "the topic does not exist: check sources"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t, b, b.Topic(t, 1))
			test.change(d)
			refused(t, weir(t, "run", "-c", d.config(t, "one")), 1, test.hints...)
		})
	}
}

// TLS, SCRAM and an authorizer that allows what `weir topics` lists and nothing
// else: alerts are raised, and who comes otherwise is told what to change.
func TestSecureBroker(t *testing.T) {
	t.Parallel()
	c := company(t, 4)
	owner, stranger := kafkatest.User{Name: "owner", Password: "right"}, kafkatest.User{Name: "stranger", Password: "right too"}
	b := kafkatest.Start(t, kafkatest.WithTLS(), kafkatest.WithSASL(owner, stranger), kafkatest.WithACLs())
	source := b.Topic(t, 2)
	produce(t, producer(t, b), source, interleaved(2), 0, c.events)

	t.Run("alerts", func(t *testing.T) {
		t.Parallel()
		d := deploy(t, b, source)
		d.kafka = secure(b.TLSFiles().CA, owner.Name, owner.Password)
		d.grant(t, owner.Name, func(acl) bool { return true })
		p := d.start(t, "one")
		same(t, "run over TLS and SCRAM", d.complete(t, len(c.alerts)), c.alerts)
		if n := p.metric(t, "weir_task_failures_total"); n != 0 {
			t.Errorf("weir_task_failures_total is %v, want 0: do the ACLs that weir topics lists suffice?", n)
		}
		p.stop(t)
	})
	// The process starts, since it may look at the source, and cannot read it.
	t.Run("no permission to read, then one", func(t *testing.T) {
		t.Parallel()
		d := deploy(t, b, source+"-late")
		d.kafka = secure(b.TLSFiles().CA, stranger.Name, stranger.Password)
		if _, err := d.admin(t).CreateTopic(t.Context(), 2, 1, nil, d.sources[0]); err != nil {
			t.Fatal(err)
		}
		produce(t, producer(t, b), d.sources[0], interleaved(2), 0, c.events)
		reading := func(a acl) bool { return a.Name == d.sources[0] && a.Operation == "Read" }
		d.grant(t, stranger.Name, func(a acl) bool { return !reading(a) })
		p := d.start(t, "one")
		eventually(t, shortLimit, "the fault is told and counted", func() bool {
			return strings.Contains(p.stderr.String(), "the principal lacks a permission: `weir topics` prints") &&
				p.metric(t, "weir_task_failures_total") > 0
		})
		d.grant(t, stranger.Name, reading)
		same(t, "run that was let in late", d.complete(t, len(c.alerts)), c.alerts)
		p.stop(t)
	})
	for _, test := range []struct {
		name  string
		kafka string
		hints []string
	}{
		{"wrong password", secure(b.TLSFiles().CA, owner.Name, "wrong"), []string{"SASL_AUTHENTICATION_FAILED", "user name, password or mechanism is wrong: see kafka.sasl"}},
		{"no permission at all", secure(b.TLSFiles().CA, stranger.Name, stranger.Password), []string{"AUTHORIZATION_FAILED", "`weir topics` prints the ACLs that weir needs"}},
		{"another authority", secure(otherAuthority(t), owner.Name, owner.Password), []string{"not trusted", "set kafka.tls.ca_file"}},
		{"plain text to a TLS port", "", []string{"the broker's port wants TLS: set kafka.tls.enabled to true"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t, b, source)
			d.kafka = test.kafka
			refused(t, weir(t, "run", "-c", d.config(t, "one")), 1, test.hints...)
		})
	}
}

// secure are the lines of a configuration that signs in over TLS.
func secure(ca, user, password string) string {
	return fmt.Sprintf("  tls: {enabled: true, ca_file: %q}\n  sasl: {mechanism: scram-sha-512, username: %q, password: %q}\n", ca, user, password)
}

// otherAuthority is the file of an authority that no broker's certificate is of.
func otherAuthority(t testing.TB) string {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return write(t, filepath.Join(t.TempDir(), "other.pem"), string(text))
}

// acl is a permission as weir topics -o json prints it.
type acl struct {
	Resource, Name, Operation string
	Prefixed                  bool
}

// grant gives a user those of the permissions that weir topics lists which the
// filter takes.
func (d *deployment) grant(t testing.TB, user string, filter func(acl) bool) {
	t.Helper()
	var listed struct{ ACLs []acl }
	if err := json.Unmarshal([]byte(must(t, "topics", "-c", d.config(t, "acls"), "-o", "json")), &listed); err != nil {
		t.Fatal(err)
	}
	resources := []string{"topic", "group", "transactional-id", "cluster"}
	for _, a := range listed.ACLs {
		if !filter(a) {
			continue
		}
		operation, err := kmsg.ParseACLOperation(a.Operation)
		if err != nil || !slices.Contains(resources, a.Resource) {
			t.Fatalf("weir topics lists %+v (%v)", a, err)
		}
		pattern := kadm.ACLPatternLiteral
		if a.Prefixed {
			pattern = kadm.ACLPatternPrefixed
		}
		grant := kadm.NewACLs().Allow("User:" + user).AllowHosts().ResourcePatternType(pattern).Operations(operation)
		switch a.Resource {
		case "topic":
			grant.Topics(a.Name)
		case "group":
			grant.Groups(a.Name)
		case "transactional-id":
			grant.TransactionalIDs(a.Name)
		case "cluster":
			grant.Clusters()
		}
		results, err := d.admin(t).CreateACLs(t.Context(), grant)
		if err != nil {
			t.Fatalf("granting %+v: %v", a, err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatalf("granting %+v: %v %s", a, r.Err, r.ErrMessage)
			}
		}
	}
}
