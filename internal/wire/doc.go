// Package wire holds what the binary forms of weir's records and states have in
// common: helpers that append, one reader, and one error.
//
// Numbers are varints (unsigned, or zigzag for signed ones) or fixed words, the
// lowest byte first. A string, a run of bytes and a list begin with their
// length. What a record consists of, and in which order, stands beside the type
// that is encoded.
//
// Bytes that are read may come from anybody who can write to a topic. The
// [Reader] therefore allocates nothing by a length that it has not compared
// with the bytes that are left.
package wire
