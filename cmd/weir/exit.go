package main

import "fmt"

// usageError is a fault in how the command was called. It exits with 2, every
// other error with 1.
type usageError struct{ err error }

// Error returns what is wrong with the call.
func (e usageError) Error() string { return e.err.Error() }

// Unwrap returns the error inside.
func (e usageError) Unwrap() error { return e.err }

// usagef makes a usageError as fmt.Errorf makes an error.
func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// exitError ends the process with a code and no message: all was said.
type exitError int

// Error is never shown.
func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }
