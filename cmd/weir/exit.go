package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/weirhq/weir/internal/usage"
)

// exitError ends the process with a code and no message: all was said.
type exitError int

// Error is never shown.
func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// exitCode says how a command ended: 0 done, 1 failed, 2 wrong usage, or the
// code that the command asked for. It prints the error, if any, to stderr.
func exitCode(err error, stderr io.Writer) int {
	var code exitError
	var wrong usage.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "weir: interrupted")
		return 1
	}
	fmt.Fprintf(stderr, "weir: %v\n", err)
	if errors.As(err, &wrong) {
		return 2
	}
	return 1
}

// silent keeps the exit code of err and drops its message, which a summary has
// told already. With -o json the summary is the last line on stderr, for those
// who read it by machine.
func silent(err error) error {
	var code exitError
	var wrong usage.Error
	switch {
	case err == nil || errors.As(err, &code):
		return err
	case errors.As(err, &wrong):
		return exitError(2)
	}
	return exitError(1)
}
