package config

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"errors"
)

// Author is somebody who may judge episodes by a key of their own: a person or a role.
type Author struct {
	Name      string
	PublicKey ed25519.PublicKey
}

func verdictsFields(c *Config) field {
	return mapping("verdicts", "Who may judge episodes (docs/response.md).",
		scalar("second_person", boolean(&c.SecondPerson), "Whether somebody else must say too that an episode is expected which is graver than medium.", "true"),
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
