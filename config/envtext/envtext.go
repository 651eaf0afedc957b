// Package envtext puts variables of the environment into text.
package envtext

import (
	"fmt"
	"strings"
)

// Expand replaces each ${NAME} in a scalar by the variable of that name, and
// each $${ by ${. A lone $ stays. It happens after the YAML is parsed, so that
// no value can add keys, and what it puts in is not expanded again.
func Expand(text string, env func(string) (string, bool)) (out string, err error) {
	var b strings.Builder
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			b.WriteString(text)
			return b.String(), nil
		}
		if i > 0 && text[i-1] == '$' {
			b.WriteString(text[:i-1] + "${")
			text = text[i+2:]
			continue
		}
		b.WriteString(text[:i])
		name, rest, ok := strings.Cut(text[i+2:], "}")
		if !ok {
			return "", fmt.Errorf("${ is not closed by }; want ${NAME}, or $${ for the text ${")
		}
		if !isEnvName(name) {
			return "", fmt.Errorf("${%s} names no variable; want letters, digits and _, as in ${KAFKA_PASSWORD}, or $${ for the text ${", name)
		}
		value, ok := env(name)
		if !ok {
			return "", fmt.Errorf("the environment variable %s is not set; set it, or write the value", name)
		}
		b.WriteString(value)
		text = rest
	}
}

func isEnvName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
