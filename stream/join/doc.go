// Package join is the operator that matches tokens which read with tokens which
// were issued. It reads weir.sessions, one task a partition, and writes what was
// read through tokens that nobody issued into weir.partials.
package join
