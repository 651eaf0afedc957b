package config

import (
	"time"

	"github.com/weirhq/weir/ledger"
)

// Ledger says where checkpoints of the ledger go while weir runs.
type Ledger struct {
	CheckpointEvery time.Duration
	CheckpointFile  string // appended to; empty: none
	KeyFile         string // private key of a signed note
	URL             Secret // webhook; a URL may hold a token
	Secret          Secret // signs the webhook's messages
}

// Sends reports whether checkpoints go anywhere.
func (l *Ledger) Sends() bool { return l.CheckpointFile != "" || l.URL.IsSet() }

// Weakness says what the ledger lacks for somebody with all rights on Kafka to be seen
// who writes it anew; empty if nothing.
func (l *Ledger) Weakness() string {
	if l.Sends() {
		return ""
	}
	return "no checkpoint goes outside: set ledger.key_file, and ledger.checkpoint_file or ledger.url"
}

func ledgerFields(l *Ledger) field {
	key := func(b []byte) error {
		_, err := ledger.ParseSigner(b)
		return err
	}
	fields := []field{
		scalar("checkpoint_every", duration(&l.CheckpointEvery, time.Minute, 30*day, time.Second), "Time between checkpoints, if anything was chained meanwhile.", ""),
		scalar("checkpoint_file", later(&l.CheckpointFile), "File to which the process that runs correlate appends them, best on a machine that Kafka's administrators cannot write to.", "/mnt/audit/weir.checkpoints"),
		scalar("key_file", file(&l.KeyFile, key), "File of the key that signs them (`weir ledger key NAME --out ledger.key`); goes with a file or a url.", "/run/secrets/ledger.key"),
	}
	fields = append(fields, secretFields("url", &l.URL, "Webhook to which they are posted.", "https://audit.example/weir", httpURL)...)
	fields = append(fields, secretFields("secret", &l.Secret, "Secret that signs these messages: whsec_ and base64, as of a webhook destination.", "${AUDIT_SECRET}")...)
	return mapping("ledger", "Checkpoints of the ledger that `weir run` sends outside (docs/ledger.md); none without a file or a url.", fields...)
}

// later is the path of a file that is not read with the configuration.
func later(into *string) value {
	return value{
		kind: "path of a file",
		parse: func(p *parser, t string) error {
			if err := notEmpty(t); err != nil {
				return err
			}
			*into = p.path(t)
			return nil
		},
		show:   func() string { return *into },
		schema: map[string]any{"type": "string"},
	}
}

func (p *parser) checkLedger(l *Ledger) {
	switch url, secret := l.URL.IsSet(), l.Secret.IsSet(); {
	case url && !secret:
		p.faultAt(p.which("ledger.url"), "goes with ledger.secret, which signs what is posted there")
	case secret && !url:
		p.faultAt(p.which("ledger.secret"), "goes with ledger.url, to which what it signs is posted")
	}
	switch {
	case l.KeyFile != "" && !l.Sends():
		p.faultAt("ledger.key_file", "signs nothing: set checkpoint_file or url, to which checkpoints go")
	case l.KeyFile == "" && l.Sends():
		p.faultAt("ledger", "sends checkpoints that nobody signs: set key_file (make one with: weir ledger key NAME --out ledger.key)")
	}
}
