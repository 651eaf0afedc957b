package settings

import (
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/event/files"
	"github.com/weirhq/weir/stream/kafka/message"
	"github.com/weirhq/weir/stream/kafka/registry"
)

// Sources returns how the records of each source topic become events.
func Sources(c *config.Config, log *slog.Logger) (map[string]message.Source, error) {
	out := map[string]message.Source{}
	for i := range c.Sources {
		src := &c.Sources[i]
		format, err := files.LoadFormat(src.Format)
		if err != nil {
			return nil, c.At(fmt.Sprintf("sources[%d].format", i), err)
		}
		schemas, err := schemasOf(&src.Registry, log.With("topic", src.Topic))
		if err != nil {
			return nil, c.At(fmt.Sprintf("sources[%d].schema_registry", i), err)
		}
		out[src.Topic] = message.Source{Format: format, Schemas: schemas}
	}
	return out, nil
}

// schemasOf returns the registry of a source's schemas; nil if it has none.
func schemasOf(r *config.Registry, log *slog.Logger) (*registry.Registry, error) {
	if len(r.URLs) == 0 {
		return nil, nil //nolint:nilnil // nil is no registry
	}
	tls, err := r.TLS()
	if err != nil {
		return nil, err
	}
	options := []sr.ClientOpt{sr.URLs(r.URLs...), sr.DialTLSConfig(tls)}
	if r.Username != "" {
		options = append(options, sr.BasicAuth(r.Username, r.Password.Reveal()))
	}
	if r.Token.IsSet() {
		options = append(options, sr.BearerToken(r.Token.Reveal()))
	}
	return registry.New(log, options...)
}
