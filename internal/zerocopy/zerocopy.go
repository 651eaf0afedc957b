// Package zerocopy converts between bytes and text without copying: what it
// returns shares the memory of what it was given, and lives and changes with it.
package zerocopy

import (
	"unsafe"
)

// String returns b as a string. Whoever writes to b afterwards changes it.
func String(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Bytes returns the bytes of s, which must not be written to. A conversion
// would copy each text of more than 32 bytes to the heap.
func Bytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
