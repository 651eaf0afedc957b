// Package config reads weir's one configuration file: strict YAML in which a
// wrong key, unit, type or file is told with its line, what would be right,
// and together with every other fault, before anything starts.
//
// All fields stand in one table (fields.go) with their defaults, limits and
// words. The reader, docs/configuration.md and docs/config.schema.json all
// come from it.
package config

import (
	"time"

	"github.com/weirhq/weir/event"
)

//go:generate go run ./gen

// Config is the whole configuration, defaults filled in and checked. Paths of
// files are resolved against the folder of the configuration file.
type Config struct {
	Kafka             Kafka
	Group             string // prefix of consumer groups and transactional ids
	Instance          string // stable name of this process; empty: the host's name
	TopicPrefix       string // of the internal topics
	Partitions        int    // of the partials topic
	ReplicationFactor int    // of the internal topics; -1: the broker's default
	Sources           []Source
	Dimensions        []event.Dimension // in the order of the file
	Identities        int               // how many identities of each dimension are kept whole
	Peers             map[string]string // of a dimension, the one that groups it, or NoPeers
	RecordKeyFile     string            // empty: none, which run refuses
	Aliases           Aliases
	Time              Time
	CommitInterval    time.Duration
	StopGrace         time.Duration // how long a stop waits for what has begun
	Alerts            Alerts
	Expected          []Expected
	Facts             Facts
	Authors           []Author // who may sign verdicts
	Ask               Ask      // who is asked whether what an account did was meant
	SecondPerson      bool     // what is graver than medium is expected by the word of two
	Ledger            Ledger
	HTTP              HTTP
	Log               Log
	Workers           int // ingest workers; 0: one per two cores

	file  string         // as given to Load or Parse; empty for Default
	lines map[string]int // line of each key that was set, by path

	keyReaders string // whom the record key is open to beside who must read it; empty: nobody
}

// Kafka says how to reach the brokers.
type Kafka struct {
	Brokers  []string // host:port
	ClientID string
	TLS      TLS
	SASL     SASL
}

// TLS says whether and how connections to the brokers are encrypted.
type TLS struct {
	Enabled            bool
	CAFile             string // empty: the system's roots
	CertFile, KeyFile  string // of the client, both or neither
	ServerName         string // empty: the broker's host name
	InsecureSkipVerify bool
}

// The SASL mechanisms.
const (
	Plain       = "plain"
	ScramSHA256 = "scram-sha-256"
	ScramSHA512 = "scram-sha-512"
	OAuthBearer = "oauthbearer"
)

// SASL says how weir authenticates to the brokers.
type SASL struct {
	Mechanism string // empty: no authentication
	Username  string // of plain and scram
	Password  Secret
	Token     Secret // of oauthbearer: a fixed token
	OAuth     OAuth  // of oauthbearer: where to fetch tokens
}

// OAuth is a token endpoint that grants tokens for client credentials
// (RFC 6749, section 4.4).
type OAuth struct {
	TokenURL     string
	ClientID     string
	ClientSecret Secret
	Scopes       []string
}

// Source is one topic of access events.
type Source struct {
	Topic    string
	Format   string // a preset of package event, or the path of a field map
	Start    Start  // where to begin when the group has no offset
	Registry Registry
}

// Time holds the clocks of event time.
type Time struct {
	Tick        time.Duration // grid on which partials are united
	Bin         time.Duration // what detectors score; a whole number of ticks, a divisor of a day
	Lateness    time.Duration // how far the watermark stays behind the progress
	IdleAfter   time.Duration // quiet, at the end of its log, after which a partition is idle
	FutureLimit time.Duration // past the record's own timestamp, beyond which an event is not believed
	MaxAhead    time.Duration // past what is judged, beyond which a partition is paused
	Retention   time.Duration // how long a touched record is remembered
	Zone        *time.Location
}

// Log is weir's own log, on stderr.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // text or json
}

const day = 24 * time.Hour

// Default returns the configuration of an empty file.
func Default() *Config {
	return &Config{
		Kafka:             Kafka{Brokers: []string{"localhost:9092"}, ClientID: "weir"},
		Group:             "weir",
		TopicPrefix:       "weir.",
		Partitions:        8,
		ReplicationFactor: -1,
		Dimensions:        event.DefaultDimensions(),
		Identities:        1_000_000,
		Time: Time{
			Tick: 5 * time.Minute, Bin: time.Hour, Lateness: 10 * time.Minute, IdleAfter: time.Minute,
			FutureLimit: day, MaxAhead: 6 * time.Hour, Retention: 30 * day, Zone: time.UTC,
		},
		CommitInterval: 5 * time.Second, StopGrace: 20 * time.Second,
		Alerts: Alerts{Budget: 2, Heartbeat: defaultHeartbeat(), Links: Links{Runbook: defaultRunbook}, Destinations: []Destination{stdoutDestination()}},
		Facts:  defaultFacts(),
		Ledger: Ledger{CheckpointEvery: time.Hour},
		Ask:    Ask{Whom: "manager"},
		HTTP:   HTTP{Listen: "127.0.0.1:9464", NamesFor: "viewer", OIDC: OIDC{Scopes: []string{"email"}, NameClaim: "email"}},
		Log:    Log{Level: "info", Format: "text"},
	}
}

func defaultSource() Source { return Source{Format: "native", Start: Start{}} }

// File returns the name of the file that the configuration was read from;
// empty for Default.
func (c *Config) File() string { return c.file }

// At ties an error found later, when a destination is built, say, to the line
// of the key at path ("alerts.destinations[0].secret"), or of the nearest key
// around it that was set. It returns Faults with this one fault.
func (c *Config) At(path string, err error) error {
	return Faults{c.fault(path, err.Error())}
}

// fault returns a fault of the key at path.
func (c *Config) fault(path, text string) Fault {
	return Fault{File: c.file, Line: nearestLine(c.lines, path), Text: path + ": " + text}
}

// CheckRun reports what `weir run` needs beyond what a backtest does: at least
// one source, and a secret record key. It returns nil or Faults.
func (c *Config) CheckRun() error {
	var f Faults
	if len(c.Sources) == 0 {
		f = append(f, c.fault("sources", "there is none to read; name at least one, such as sources: [{topic: access, format: native}]"))
	}
	if c.RecordKeyFile == "" {
		f = append(f, c.fault("record_key_file", "is missing; record ids are hashed under a secret key that all instances share. "+
			"Make one with: (umask 077; openssl rand -hex 16 > record.key), and set record_key_file: record.key"))
	}
	return f.orNil()
}

// Warnings lists what is allowed but seldom meant, one sentence each, with
// file and line.
func (c *Config) Warnings() []string {
	var f Faults
	add := func(path, text string) { f = append(f, c.fault(path, text)) }
	k := &c.Kafka
	if k.TLS.InsecureSkipVerify {
		add("kafka.tls.insecure_skip_verify", "brokers are not authenticated, so anyone on the way can read and change the traffic; set ca_file instead")
	}
	if k.SASL.Mechanism != "" && !k.TLS.Enabled {
		add("kafka.sasl.mechanism", "credentials travel, and traffic is readable, without TLS; set kafka.tls.enabled: true")
	}
	for path, s := range map[string]Secret{
		"kafka.sasl.password": k.SASL.Password, "kafka.sasl.token": k.SASL.Token, "kafka.sasl.oauth.client_secret": k.SASL.OAuth.ClientSecret,
		"ledger.secret": c.Ledger.Secret,
	} {
		if s.inline {
			add(path, "the secret stands in the file itself; use ${ENV} or "+path+"_file")
		}
	}
	for i := range c.Sources {
		r := &c.Sources[i].Registry
		for key, secret := range map[string]Secret{"password": r.Password, "token": r.Token} {
			if secret.inline {
				add(itemPath("sources", i)+".schema_registry."+key, "the secret stands in the file itself; use ${ENV} or "+key+"_file")
			}
		}
	}
	for i := range c.Alerts.Destinations {
		d := &c.Alerts.Destinations[i]
		for key, secret := range map[string]Secret{
			"secret": d.Secret, "token": d.Token, "signing_secret": d.SigningSecret, "routing_key": d.RoutingKey, "password": d.Password,
		} {
			if secret.inline {
				add(itemPath("alerts.destinations", i)+"."+key, "the secret stands in the file itself; use ${ENV} or "+key+"_file")
			}
		}
	}
	if c.keyReaders != "" {
		add("record_key_file", "the key is open to "+c.keyReaders+"; who has it can test whether a known customer was read: chmod 600")
	}
	c.routeWarnings(add)
	f.sort()
	out := make([]string, len(f))
	for i := range f {
		out[i] = f[i].String()
	}
	return out
}
