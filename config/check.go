package config

import (
	"strings"
)

// check holds fields against each other, after each has been read by itself.
func (p *parser) check(c *Config) {
	p.checkTime(&c.Time)
	p.checkTLS(&c.Kafka.TLS)
	p.checkSASL(&c.Kafka.SASL)
	p.checkSources(c)
	p.checkPeers(c)
	p.checkDestinations(c)
	p.checkRoutes(c)
	p.checkExpected(c)
	p.checkAuthors(c)
	p.checkAsk(c)
	p.checkHTTP(&c.HTTP)
	p.checkLedger(&c.Ledger)
	p.checkAliases(c)
	if len(c.Kafka.Brokers) == 0 {
		p.faultAt("kafka.brokers", "names no broker; want at least one, such as [localhost:9092]")
	}
}

// faultAt reports a fault on the line of a path, or of the nearest one around.
func (p *parser) faultAt(path, format string, args ...any) {
	p.fault(nearestLine(p.lines, path), path+": "+format, args...)
}

func (p *parser) set(path string) bool { return p.lines[path] > 0 }

// which returns the key at path or, where only that is set, its *_file.
func (p *parser) which(path string) string {
	if !p.set(path) && p.set(path+"_file") {
		return path + "_file"
	}
	return path
}

func (p *parser) checkTime(t *Time) {
	// The line of what the file sets, where one of the two is a default.
	at := "time.bin"
	if !p.set(at) {
		at = "time.tick"
	}
	if t.Bin%t.Tick != 0 {
		p.faultAt(at, "a bin of %s is no whole number of ticks of %s; want, for example, a tick of 5m and a bin of 1h", formatDuration(t.Bin), formatDuration(t.Tick))
	}
	if day%t.Bin != 0 {
		p.faultAt("time.bin", "a day is no whole number of bins of %s; want, for example, 30m, 1h, 2h or 24h", formatDuration(t.Bin))
	}
	at = "time.max_ahead"
	if !p.set(at) {
		at = "time.lateness"
	}
	if t.MaxAhead <= t.Lateness+t.Tick {
		p.faultAt(at, "a max_ahead of %s would pause every partition, since the watermark itself stays a lateness of %s behind; want more than lateness and tick together, %s",
			formatDuration(t.MaxAhead), formatDuration(t.Lateness), formatDuration(t.Lateness+t.Tick))
	}
}

func (p *parser) checkTLS(t *TLS) {
	const at = "kafka.tls"
	if !t.Enabled {
		for _, key := range [...]string{"ca_file", "cert_file", "key_file", "server_name"} {
			if path := at + "." + key; p.set(path) {
				p.faultAt(path, "has no effect, since TLS is not enabled; set kafka.tls.enabled: true, or leave the line out")
			}
		}
		return
	}
	p.checkPair(at, t.CertFile, t.KeyFile)
}

// checkPair checks that of a client's certificate and its key, which stand under a path,
// either both are given or neither, and that they belong together.
func (p *parser) checkPair(at, certFile, keyFile string) {
	if p.set(at+".cert_file") != p.set(at+".key_file") {
		have, lack := "cert_file", "key_file"
		if p.set(at + "." + lack) {
			have, lack = lack, have
		}
		p.faultAt(at+"."+have, "stands alone; set %s.%s too", at, lack)
	}
	if certFile == "" || keyFile == "" {
		return
	}
	cert, err := p.files.read(certFile, MaxSecret)
	if err != nil {
		return // reported when the field was read
	}
	key, err := p.files.read(keyFile, MaxSecret)
	if err != nil {
		return
	}
	if err := parsePair(cert, key); err != nil {
		p.faultAt(at+".cert_file", "does not go with key_file: %w; want the PEM files of one certificate and its private key", err)
	}
}

func (p *parser) checkSASL(s *SASL) {
	const at = "kafka.sasl"
	given := func(keys ...string) (set []string) {
		for _, key := range keys {
			if p.set(at+"."+key) || p.set(at+"."+key+"_file") {
				set = append(set, key)
			}
		}
		return set
	}
	refuse := func(why string, keys ...string) {
		for _, key := range given(keys...) {
			p.faultAt(p.which(at+"."+key), "%s", why)
		}
	}
	need := func(key string, have bool) {
		if !have && len(given(strings.TrimSuffix(key, "_file"))) == 0 {
			p.faultAt(at+"."+key, "is missing, and %s needs it", s.Mechanism)
		}
	}
	switch s.Mechanism {
	case "":
		if !p.set(at + ".mechanism") { // else its own fault is enough
			refuse("has no effect without kafka.sasl.mechanism; want plain, scram-sha-256, scram-sha-512 or oauthbearer there", "username", "password", "token", "oauth")
		}
	case OAuthBearer:
		refuse("is not used by oauthbearer; leave it out", "username", "password")
		switch fixed, fetched := len(given("token")) > 0, len(given("oauth")) > 0; {
		case fixed && fetched:
			p.faultAt(at+".oauth", "stands beside a fixed token; keep one of them")
		case fetched:
			need("oauth.token_url", s.OAuth.TokenURL != "")
			need("oauth.client_id", s.OAuth.ClientID != "")
			need("oauth.client_secret", s.OAuth.ClientSecret.IsSet())
		case !fixed:
			p.faultAt(at+".mechanism", "oauthbearer needs a token, or oauth with token_url, client_id and client_secret")
		}
	default:
		refuse("is used by oauthbearer only; leave it out", "token", "oauth")
		need("username", s.Username != "")
		need("password", s.Password.IsSet())
	}
}

func (p *parser) checkSources(c *Config) {
	first := map[string]int{}
	for i, s := range c.Sources {
		at := itemPath("sources", i) + ".topic"
		p.checkRegistry(itemPath("sources", i)+".schema_registry", &s.Registry)
		if s.Topic == "" {
			continue
		}
		if j, ok := first[s.Topic]; ok {
			p.faultAt(at, "%s is a source already, on line %d; keep one of them", s.Topic, p.lines[itemPath("sources", j)+".topic"])
			continue
		}
		first[s.Topic] = i
		if c.TopicPrefix != "" && strings.HasPrefix(s.Topic, c.TopicPrefix) {
			p.faultAt(at, "%s begins with %s, the prefix of weir's own topics; rename the source, or set another topic_prefix", s.Topic, c.TopicPrefix)
		}
	}
}
