package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// usageError is a fault in how the command was called. It exits with 2, every
// other error with 1.
type usageError struct{ err error }

// Error returns what is wrong with the call.
func (e usageError) Error() string { return e.err.Error() }

// Unwrap returns the error inside.
func (e usageError) Unwrap() error { return e.err }

// usagef makes a usageError as fmt.Errorf makes an error.
func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// told ends the process with the code of err and no message, where a summary
// has said it. With -o json the summary is the last line on stderr, for those
// who read it by machine.
func told(err error) error {
	var code exitError
	var usage usageError
	switch {
	case err == nil || errors.As(err, &code):
		return err
	case errors.As(err, &usage):
		return exitError(2)
	}
	return exitError(1)
}

// atLeast makes a check that a command was given at least n arguments, which
// what names.
func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return fmt.Errorf("%s needs %s", cmd.Name(), what)
		}
		return nil
	}
}

// exitError ends the process with a code and no message: all was said.
type exitError int

// Error is never shown.
func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }
