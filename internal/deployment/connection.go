package deployment

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/stream/kafka/cluster"
)

// Connect translates how the configuration reaches Kafka. It reaches out to
// nobody yet. What the client library has to say goes to log.
func Connect(c *config.Config, log *slog.Logger) (*cluster.Connection, error) {
	conn := &cluster.Connection{Brokers: c.Kafka.Brokers, ClientID: c.Kafka.ClientID, Logger: log}
	var err error
	if conn.TLS, err = c.Kafka.TLS.Client(); err != nil {
		return nil, c.At("kafka.tls", err)
	}
	s := &c.Kafka.SASL
	switch s.Mechanism {
	case config.Plain:
		conn.SASL = plain.Auth{User: s.Username, Pass: s.Password.Reveal()}.AsMechanism()
	case config.ScramSHA256:
		conn.SASL = scram.Auth{User: s.Username, Pass: s.Password.Reveal()}.AsSha256Mechanism()
	case config.ScramSHA512:
		conn.SASL = scram.Auth{User: s.Username, Pass: s.Password.Reveal()}.AsSha512Mechanism()
	case config.OAuthBearer:
		conn.SASL = bearer(s)
	}
	return conn, nil
}

// bearer gives tokens to the client each time it connects: the fixed one, or a
// fresh one from the token endpoint.
func bearer(s *config.SASL) sasl.Mechanism {
	return oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		if s.OAuth.TokenURL == "" {
			return oauth.Auth{Token: s.Token.Reveal()}, nil
		}
		token, err := fetchToken(ctx, &s.OAuth)
		return oauth.Auth{Token: token}, err
	})
}

// fetchToken asks a token endpoint for a token (RFC 6749, section 4.4).
func fetchToken(ctx context.Context, o *config.OAuth) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(o.Scopes) > 0 {
		form.Set("scope", strings.Join(o.Scopes, " "))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("fetching a token: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(o.ClientID), url.QueryEscape(o.ClientSecret.Reveal()))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("fetching a token: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("fetching a token: %w", err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
		return "", fmt.Errorf("fetching a token: the endpoint answered %s %s; check kafka.sasl.oauth", resp.Status, answer.Error)
	}
	return answer.AccessToken, nil
}
