// Package usage marks faults in how a command was called. Such a fault ends the
// process with exit code 2; every other error ends it with 1.
package usage

import (
	"fmt"
)

// Error is a fault in how a command was called.
type Error struct{ Err error }

// Error returns what is wrong with the call.
func (e Error) Error() string { return e.Err.Error() }

// Unwrap returns the error inside.
func (e Error) Unwrap() error { return e.Err }

// Errorf makes an Error as fmt.Errorf makes an error.
func Errorf(format string, a ...any) error { return Error{fmt.Errorf(format, a...)} }
