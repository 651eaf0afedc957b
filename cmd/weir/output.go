package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/weirhq/weir/internal/usage"
)

// checkOutput checks the value of -o.
func checkOutput(form string) error {
	if form != "table" && form != "json" {
		return usage.Errorf("-o is table or json, not %q", form)
	}
	return nil
}

// printLine writes a value as one line of JSON. The value is a struct of numbers
// and strings, which always marshals.
func printLine(w io.Writer, value any) {
	line, _ := json.Marshal(value)
	fmt.Fprintf(w, "%s\n", line)
}
