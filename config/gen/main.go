// Gen writes docs/configuration.md and docs/config.schema.json from the table
// of configuration fields. Run it by `go generate ./config`.
package main

import (
	"fmt"
	"os"

	"github.com/weirhq/weir/config"
)

func main() {
	for path, b := range map[string][]byte{
		"../docs/configuration.md":   config.Reference(),
		"../docs/config.schema.json": config.Schema(),
	} {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "writing the generated docs:", err)
			os.Exit(1)
		}
	}
}
