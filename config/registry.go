package config

import "crypto/tls"

// Registry is a schema registry, by which values are read that name the id of their
// schema. One without URLs is none.
type Registry struct {
	URLs              []string
	Username          string
	Password          Secret
	Token             Secret // a fixed one, instead of a user
	CAFile            string // empty: the system's roots
	CertFile, KeyFile string // certificate and key of the client: both or neither
}

// TLS returns the client side of TLS to the registry.
func (r *Registry) TLS() (*tls.Config, error) {
	t := TLS{Enabled: true, CAFile: r.CAFile, CertFile: r.CertFile, KeyFile: r.KeyFile}
	return t.Client()
}

func registryFields(r *Registry) field {
	fields := []field{
		{name: "urls", doc: "Where it listens; of several the first that answers counts.", example: "[https://registry.example:8081]",
			list: texts(&r.URLs, none, httpURL)},
		scalar("username", text(&r.Username, notEmpty), "User, where it asks for one.", "weir"),
	}
	fields = append(fields, secretFields("password", &r.Password, "Password of the user.", "${REGISTRY_PASSWORD}")...)
	fields = append(fields, secretFields("token", &r.Token, "A fixed bearer token, instead of a user.", "${REGISTRY_TOKEN}")...)
	fields = append(fields,
		scalar("ca_file", file(&r.CAFile, pemAuthorities), "PEM file of the authorities that sign its certificate; without it, the system's.", "ca.pem"),
		scalar("cert_file", file(&r.CertFile), "PEM file of the client's certificate, for mutual TLS; goes with key_file.", "client.pem"),
		scalar("key_file", file(&r.KeyFile), "PEM file of the client's private key; goes with cert_file.", "client.key"),
	)
	return mapping("schema_registry", "The schema registry of a topic whose values carry the id of their schema: Avro, Protobuf and JSON Schema (docs/formats.md).", fields...)
}

// checkRegistry checks what a registry's fields say together; at is its path.
func (p *parser) checkRegistry(at string, r *Registry) {
	switch {
	case !p.set(at):
		return
	case len(r.URLs) == 0:
		p.faultAt(at, "needs urls, such as [https://registry.example:8081]")
	case r.Token.IsSet() && r.Username != "":
		p.faultAt(p.which(at+".token"), "stands beside username; keep one of them")
	case r.Username != "" && !r.Password.IsSet() && !p.set(at+".password_file"):
		p.faultAt(at+".username", "stands alone; set %s.password too", at)
	case r.Username == "" && r.Password.IsSet():
		p.faultAt(p.which(at+".password"), "stands alone; set %s.username too", at)
	default:
		p.checkPair(at, r.CertFile, r.KeyFile)
	}
}
