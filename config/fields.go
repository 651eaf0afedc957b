package config

import (
	"math"
	"time"
)

// field is one key of the configuration: one row of the table from which the
// reader, the reference and the schema are made. Exactly one of value, fields,
// list, items and dimensions says what stands under the key.
type field struct {
	name    string
	doc     string // what it is, in sentences
	example string // YAML of the value, where the default does not show the form
	must    bool   // in items of a list: has to be there

	value  *value  // a scalar
	fields []field // a mapping
	list   *list   // a list of scalars
	items  *items  // a list of mappings
	custom *custom // a form of its own
}

// list is a list of scalars: reset empties it, next adds a scalar to be read.
type list struct {
	reset func()
	next  func() value
	show  func() string
}

// items is a list of mappings: next adds an item with its defaults and returns
// its fields.
type items struct {
	reset  func()
	next   func() []field
	fields []field // of an item with its defaults, for documentation
	show   func() string
}

func scalar(name string, v value, doc, example string) field {
	return field{name: name, value: &v, doc: doc, example: example}
}

func required(f field) field { f.must = true; return f }

func mapping(name, doc string, fields ...field) field {
	return field{name: name, doc: doc, fields: fields}
}

// secretFields is a secret and its *_file alternative.
func secretFields(name string, into *Secret, doc, example string, checks ...func(string) error) []field {
	return []field{
		scalar(name, secretText(into, append(checks, notEmpty)...), doc+" Prefer `${ENV}` or `"+name+"_file` to writing it here.", example),
		scalar(name+"_file", secretFile(into, checks...), "File that holds the "+name+"; a newline at its end is left out.", "/run/secrets/"+name),
	}
}

// texts is a list of texts that pass the checks.
func texts(into *[]string, show func() string, checks ...func(string) error) *list {
	return &list{
		reset: func() { *into = nil },
		next: func() value {
			*into = append(*into, "")
			return text(&(*into)[len(*into)-1], checks...)
		},
		show: show,
	}
}

// none shows the default of a list that is empty.
func none() string { return "[]" }

// table returns every field, bound to c.
func table(c *Config) []field {
	return []field{
		kafkaFields(&c.Kafka),
		scalar("group", text(&c.Group, notEmpty, word), "Prefix of consumer groups and transactional ids. Two deployments on one cluster need two.", ""),
		scalar("instance", text(&c.Instance, word), "Name of this process that stays the same over restarts and differs between processes; part of its transactional ids. Empty: the host's name.", "weir-0"),
		scalar("topic_prefix", text(&c.TopicPrefix, notEmpty, topicPrefix), "Prefix of the internal topics; no source's name may begin with it.", ""),
		scalar("partitions", integer(&c.Partitions, 1, 10000), "Partitions of the topic of partials, and so the most detect tasks there can be. Cannot be changed once data is there.", ""),
		scalar("replication_factor", integer(&c.ReplicationFactor, -1, math.MaxInt16), "Replicas of the internal topics; -1: the broker's default.", "3"),
		{name: "sources", doc: "Topics of access events. `weir run` needs at least one.",
			items: &items{
				reset: func() { c.Sources = nil },
				next: func() []field {
					c.Sources = append(c.Sources, defaultSource())
					return sourceFields(&c.Sources[len(c.Sources)-1])
				},
				fields: func() []field { s := defaultSource(); return sourceFields(&s) }(),
				show:   none,
			}},
		dimensionsField(&c.Dimensions),
		scalar("identities", integer(&c.Identities, 4096, 1_000_000_000), "Identities of each dimension that are kept whole, over all partitions. Beyond that those are kept who read most (docs/design.md). One takes 300 bytes.", ""),
		peersField(&c.Peers),
		scalar("record_key_file", recordKey(&c.RecordKeyFile, &c.keyReaders), "File with the secret key under which record ids are hashed: 32 hexadecimal digits, the same on every instance (`openssl rand -hex 16`). `weir run` needs it; backtests use a fixed key without it.", "/run/secrets/record.key"),
		aliasesField(&c.Aliases),
		timeFields(&c.Time),
		scalar("commit_interval", duration(&c.CommitInterval, 100*time.Millisecond, 10*time.Second, time.Millisecond), "Time between transactions. Shorter: alerts sooner, more bytes on Kafka.", ""),
		scalar("stop_grace", duration(&c.StopGrace, time.Second, 10*time.Minute, time.Second), "How long a stop waits for transactions and deliveries that have begun. After that the process ends, also where no broker answers. Keep it below the time after which your platform kills.", ""),
		alertsFields(&c.Alerts),
		factsFields(&c.Facts),
		expectedField(c),
		verdictsFields(c),
		ledgerFields(&c.Ledger),
		httpFields(&c.HTTP),
		mapping("log", "The log, on stderr.",
			scalar("level", oneOf(&c.Log.Level, "debug", "info", "warn", "error"), "Least level that is written.", ""),
			scalar("format", oneOf(&c.Log.Format, "text", "json"), "Form of a line.", "")),
		scalar("workers", integer(&c.Workers, 0, 1024), "Ingest workers; 0: one per two cores.", ""),
	}
}

func kafkaFields(k *Kafka) field {
	s := &k.SASL
	tls := mapping("tls", "Encryption of connections to the brokers.",
		scalar("enabled", boolean(&k.TLS.Enabled), "Whether to use TLS.", "true"),
		scalar("ca_file", file(&k.TLS.CAFile, pemAuthorities), "PEM file of the authorities that sign the brokers' certificates; without it, the system's.", "ca.pem"),
		scalar("cert_file", file(&k.TLS.CertFile), "PEM file of the client's certificate, for mutual TLS; goes with key_file.", "client.pem"),
		scalar("key_file", file(&k.TLS.KeyFile), "PEM file of the client's private key; goes with cert_file.", "client.key"),
		scalar("server_name", text(&k.TLS.ServerName, notEmpty), "Name that the brokers' certificates must be for; without it, the host of each broker.", "kafka.example"),
		scalar("insecure_skip_verify", boolean(&k.TLS.InsecureSkipVerify), "Accept any certificate. For experiments only.", ""),
	)
	oauth := append([]field{
		scalar("token_url", text(&s.OAuth.TokenURL, httpURL), "Token endpoint of the client credentials grant (RFC 6749, section 4.4).", "https://login.example/oauth2/token"),
		scalar("client_id", text(&s.OAuth.ClientID, notEmpty), "Client that the tokens are for.", "weir"),
	}, secretFields("client_secret", &s.OAuth.ClientSecret, "Its secret.", "${OAUTH_CLIENT_SECRET}")...)
	oauth = append(oauth, field{name: "scopes", doc: "Scopes to ask for.", example: "[kafka]",
		list: texts(&s.OAuth.Scopes, none, notEmpty)})
	sasl := []field{
		scalar("mechanism", oneOf(&s.Mechanism, Plain, ScramSHA256, ScramSHA512, OAuthBearer), "How to authenticate; without it, not at all.", "scram-sha-512"),
		scalar("username", text(&s.Username, notEmpty), "User of plain and scram.", "weir"),
	}
	sasl = append(sasl, secretFields("password", &s.Password, "Password of plain and scram.", "${KAFKA_PASSWORD}")...)
	sasl = append(sasl, secretFields("token", &s.Token, "A fixed token of oauthbearer.", "${KAFKA_TOKEN}")...)
	sasl = append(sasl, mapping("oauth", "Where oauthbearer fetches tokens, instead of a fixed one.", oauth...))
	return mapping("kafka", "How to reach the brokers.",
		field{name: "brokers", doc: "Brokers to begin with; the rest of the cluster is learned from them.", example: "[kafka-1.example:9092, kafka-2.example:9092]",
			list: texts(&k.Brokers, func() string { return "[localhost:9092]" }, notEmpty, brokerAddress)},
		scalar("client_id", text(&k.ClientID, notEmpty), "Name under which brokers log and limit this client.", ""),
		tls,
		mapping("sasl", "Authentication to the brokers.", sasl...),
	)
}

func sourceFields(s *Source) []field {
	return []field{
		required(scalar("topic", text(&s.Topic, notEmpty, topicName), "Topic to read.", "access")),
		scalar("format", eventFormat(&s.Format), "How its records become events: a preset, or the path of a field map of your own.", "ocsf"),
		scalar("start", start(&s.Start), "Where to begin when the group has no offset for the topic yet.", "2026-03-01T00:00:00Z"),
		registryFields(&s.Registry),
	}
}

func timeFields(t *Time) field {
	const s = time.Second
	return mapping("time", "The clocks of event time.",
		scalar("tick", duration(&t.Tick, time.Minute, time.Hour, time.Minute), "Grid on which partials are united before they are scored: whole minutes that divide the bin.", ""),
		scalar("bin", duration(&t.Bin, time.Minute, day, s), "Interval that detectors score; a whole number of ticks, and a day is a whole number of bins.", ""),
		scalar("lateness", duration(&t.Lateness, 0, day, s), "How late events of one partition may come and still be counted in their own tick. Alerts wait as long.", ""),
		scalar("idle_after", duration(&t.IdleAfter, s, day, s), "How long a partition must be quiet, at the end of its log, before the watermark no longer waits for it.", ""),
		scalar("future_limit", duration(&t.FutureLimit, 0, day, s), "How far an event's time may lie past its Kafka record's own, and past the wall clock, and yet be confirmed by others. What is further ahead, alone in its partition, counts at the time that the partition has reached.", ""),
		scalar("max_ahead", duration(&t.MaxAhead, time.Minute, 30*day, s), "How far a partition may run ahead of what is judged before it is paused. More than lateness and tick together.", ""),
		scalar("retention", duration(&t.Retention, day, 180*day, s), "How long a touched record is remembered; a later touch is a first one again.", "90d"),
		scalar("zone", zone(&t.Zone), "Time zone of the hour-of-week shapes and of times in summaries.", "Asia/Seoul"),
	)
}
