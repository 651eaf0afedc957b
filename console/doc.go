// Package console shows people what weir has found: pages in HTML, made on the
// server, and the same as JSON under /api/v1. It takes their verdicts.
//
// Pages read one immutable snapshot of package model; they share no lock with
// what counts and decides. They load nothing from elsewhere and run no inline
// script. Who may see and do what, package access decides. What they show are
// identities, counts and times: record ids are nowhere, since weir has none.
package console
