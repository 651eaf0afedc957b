// Package supervise keeps the parts of a process running: it starts a part again
// when it fails, with pauses that grow, places tasks by consumer groups, and
// knows which tasks are still being restored.
//
// A fault of one part stops no other part.
package supervise
