package config

import (
	"fmt"
	"log/slog"
)

// Secret is text that must not be shown: however it is printed, logged or
// encoded, it comes out as "***". Only Reveal tells it.
type Secret struct {
	text   string
	set    bool
	inline bool // it stands in the configuration file itself
}

const masked = "***"

// NewSecret returns a Secret of the text.
func NewSecret(text string) Secret { return Secret{text: text, set: true} }

// Reveal returns the text.
func (s Secret) Reveal() string { return s.text }

// IsSet reports whether there is a text.
func (s Secret) IsSet() bool { return s.set }

// String returns "***", or nothing where there is no secret.
func (s Secret) String() string {
	if !s.set {
		return ""
	}
	return masked
}

// Format prints String under every verb; without it %#v would show the fields.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText returns String; JSON and YAML go by it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
