package alertingtest

import (
	"fmt"
	"regexp"
)

// EpisodeKey matches the dedup key of an episode.
var EpisodeKey = regexp.MustCompile(`weir-[0-9a-f]{16}`)

// Numbered returns alerts in which the keys of episodes, which follow from the record key,
// are numbers, in the order in which they come.
func Numbered(lines []string) (out []string) {
	names := map[string]string{}
	for _, line := range lines {
		out = append(out, EpisodeKey.ReplaceAllStringFunc(line, func(key string) string {
			if names[key] == "" {
				names[key] = fmt.Sprint("episode-", len(names)+1)
			}
			return names[key]
		}))
	}
	return out
}
