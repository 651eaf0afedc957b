// Package ndjson reads files that hold one JSON record a line, such as the
// output of weir backtest -o json and of weir ledger print.
package ndjson

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"github.com/weirhq/weir/alerting"
)

// maxLine bounds one line, in bytes.
const maxLine = 16 << 20

// EachLine hands each line of a file to fn, numbered from 1 and without its
// newline. The name - is standard input. Empty lines are counted and not handed
// on.
func EachLine(name string, fn func(line int, b []byte)) error {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("opening %s: %w", name, err)
		}
		defer f.Close()
		in = f
	}
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, maxLine)
	for line := 1; scan.Scan(); line++ {
		if len(scan.Bytes()) > 0 {
			fn(line, bytes.Clone(scan.Bytes()))
		}
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// Alerts returns the wanted alerts of a file that holds one alert a line. The
// error names the first line that is no alert.
func Alerts(name string, wanted func(*alerting.Alert) bool) ([]*alerting.Alert, error) {
	var out []*alerting.Alert
	var fault error
	err := EachLine(name, func(line int, b []byte) {
		a, err := alerting.ParseAlert(b)
		switch {
		case err != nil && fault == nil:
			fault = fmt.Errorf("%s:%d: %w", name, line, err)
		case err == nil && wanted(a):
			out = append(out, a)
		}
	})
	if err == nil {
		err = fault
	}
	return out, err
}
