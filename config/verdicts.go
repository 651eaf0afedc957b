package config

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
)

// Author is somebody who may judge episodes by a key of their own: a person or a role.
type Author struct {
	Name      string
	PublicKey ed25519.PublicKey
}

// Ask says who is asked whether what an account did was meant, see package ask.
type Ask struct {
	Through string // name of a destination; empty: nobody is asked
	Whom    string // manager or owner
}

func verdictsFields(c *Config) field {
	return mapping("verdicts", "Who may judge episodes (docs/response.md).",
		scalar("second_person", boolean(&c.SecondPerson), "Whether somebody else must say too that an episode is expected which is graver than medium.", "true"),
		mapping("ask", "Lets analysts ask by a direct message in Slack whether what an account did was meant (docs/response.md). Without `through` nobody is asked: a question warns a thief.",
			scalar("through", text(&c.Ask.Through, notEmpty), "Name of the Slack destination whose app asks. It needs token and signing_secret.", "security"),
			scalar("whom", oneOf(&c.Ask.Whom, "manager", "owner"), "Who is asked: the manager of the account's owner, or the owner. Both are as `aliases` names them, with their Slack ids.", "owner")),
		field{name: "authors", doc: "People and roles who sign verdicts themselves, with `weir ack`, `expect`, `confirm`, `reopen`, `assign` and `release`.",
			items: &items{
				reset: func() { c.Authors = nil },
				next: func() []field {
					c.Authors = append(c.Authors, Author{})
					return authorFields(&c.Authors[len(c.Authors)-1])
				},
				fields: authorFields(new(Author)),
				show:   none,
			}},
	)
}

func authorFields(a *Author) []field {
	return []field{
		required(scalar("name", text(&a.Name, notEmpty), "Name under which their verdicts stand in alerts and in the ledger.", "kim@example.com")),
		required(scalar("public_key", publicKey(&a.PublicKey), "Their Ed25519 public key: the line between BEGIN and END that `openssl pkey -in kim.key -pubout` prints.",
			"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")),
	}
}

func publicKey(into *ed25519.PublicKey) value {
	return value{
		kind: "Ed25519 public key in base64",
		parse: func(_ *parser, t string) error {
			der, err := base64.StdEncoding.DecodeString(t)
			if err == nil {
				var key any
				if key, err = x509.ParsePKIXPublicKey(der); err == nil {
					if public, ok := key.(ed25519.PublicKey); ok {
						*into = public
						return nil
					}
				}
			}
			return errors.New("is no Ed25519 public key; want the line between BEGIN and END that `openssl pkey -in kim.key -pubout` prints")
		},
		show:   func() string { return base64.StdEncoding.EncodeToString(*into) },
		schema: map[string]any{"type": "string"},
	}
}

// checkAsk reports questions that nobody could be asked.
func (p *parser) checkAsk(c *Config) {
	const at = "verdicts.ask.through"
	if c.Ask.Through == "" {
		return
	}
	i := slices.IndexFunc(c.Alerts.Destinations, func(d Destination) bool { return d.Name == c.Ask.Through })
	switch {
	case i < 0:
		p.faultAt(at, "%s is no destination; want the name of one of type slack", c.Ask.Through)
	case c.Alerts.Destinations[i].Type != Slack || !c.Alerts.Destinations[i].Token.IsSet() || !c.Alerts.Destinations[i].SigningSecret.IsSet():
		p.faultAt(at, "%s takes no answers; want a destination of type slack with token and signing_secret", c.Ask.Through)
	case !c.Aliases.Given():
		p.faultAt(at, "needs aliases, which name managers and their Slack ids")
	}
}

// checkAuthors reports two authors of one name, or of one key.
func (p *parser) checkAuthors(c *Config) {
	for i := range c.Authors {
		for j := range i {
			at := itemPath("verdicts.authors", i)
			if c.Authors[i].Name == c.Authors[j].Name && c.Authors[i].Name != "" {
				p.faultAt(at+".name", "%s is the name of another one; want another", c.Authors[i].Name)
			}
			if c.Authors[i].PublicKey.Equal(c.Authors[j].PublicKey) && len(c.Authors[i].PublicKey) > 0 {
				p.faultAt(at+".public_key", "is the key of %s; want another", c.Authors[j].Name)
			}
		}
	}
}
