package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// printLine writes a value as one line of JSON. The value is a struct of numbers
// and strings, which always marshals.
func printLine(w io.Writer, value any) {
	line, _ := json.Marshal(value)
	fmt.Fprintf(w, "%s\n", line)
}
