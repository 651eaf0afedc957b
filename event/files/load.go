// Package files reads what lies on disk: logs, packed or not, cut into the values
// that a decoder takes; field maps; and the record key. Package event and its
// field maps themselves open nothing.
package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
	"github.com/weirhq/weir/internal/suggest"
)

// LoadFormat returns a format by the name of a preset (see fieldmap.Names) or by
// the path of a YAML file, as docs/formats.md describes it. The error lists all
// faults of the file, each with file:line.
func LoadFormat(nameOrPath string) (*fieldmap.Format, error) {
	if f, ok, err := fieldmap.Preset(nameOrPath); ok {
		return f, err
	}
	src, err := os.ReadFile(nameOrPath)
	switch {
	case err == nil:
		return fieldmap.Parse(nameOrPath, src)
	case errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(nameOrPath, "./"+string(filepath.Separator)):
		return nil, fmt.Errorf("reading the format: none is called %q%s; there are %s, or give the path of a YAML file",
			nameOrPath, suggest.DidYouMean(nameOrPath, fieldmap.Names()), strings.Join(fieldmap.Names(), ", "))
	default:
		return nil, fmt.Errorf("reading the format: %w", err)
	}
}

// ReadKey reads the file of a record key (see event.ParseKey).
func ReadKey(path string) (event.Hasher, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return event.Hasher{}, fmt.Errorf("reading the record key: %w", err)
	}
	h, ok := event.ParseKey(string(text))
	if !ok {
		return event.Hasher{}, fmt.Errorf("reading the record key %s: want %d hexadecimal digits (make one with: openssl rand -hex %d > %s)",
			path, 2*event.KeySize, event.KeySize, path)
	}
	return h, nil
}
