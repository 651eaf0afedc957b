package guess

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir/event/fieldmap"
)

// OnlyTime stands for a reason among those of Unusable: a format that is not the
// file's own found a time and nothing else.
const OnlyTime = "with nothing but a time"

// Unusable returns the error of a file of which nothing could be read under a format:
// the reasons, what the file looks like, and what to do. path - is standard input,
// which cannot be looked at again.
func Unusable(path, format string, rejects map[string]int64) error {
	what := fmt.Sprintf("reading %s: no event could be read as %s (%s)", path, format, Reasons(rejects))
	if path == "-" {
		return fmt.Errorf("%s; save it to a file and try: weir map auto FILE", what)
	}
	g, err := File(path)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	switch {
	case g.Preset == format:
		return fmt.Errorf("%s; see the places by: %s", what, Command(format, path))
	case !slices.Contains(fieldmap.Names(), format):
		return fmt.Errorf("%s; this looks like %s: see the places by: %s, or begin anew with: weir map auto %s", what, g.Looks, Command(format, path), path)
	case g.Preset != "":
		return fmt.Errorf("%s; this looks like %s: try --format %s", what, g.Looks, g.Preset)
	case g.Map != "":
		return fmt.Errorf("%s; this looks like %s: try --format map.yaml, with a field map made by: weir map auto %s > map.yaml", what, g.Looks, path)
	}
	return fmt.Errorf("%s; this looks like %s", what, g.Looks)
}

// Command returns the command that shows what a format makes of a file. The file of a
// field map of the user's own is not known here.
func Command(format, path string) string {
	if !slices.Contains(fieldmap.Names(), format) {
		format = "MAP.yaml"
	}
	return fmt.Sprintf("weir map %s %s", format, path)
}

// Reasons returns how many events were rejected for each reason, as a text.
func Reasons(rejects map[string]int64) string {
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(rejects)) {
		reasons = append(reasons, fmt.Sprintf("%d %s", rejects[reason], reason))
	}
	return strings.Join(reasons, ", ")
}
