// Package jsonscan finds the values that a field map asks for in a JSON document,
// in one pass and without building the document: paths become a tree of keys
// (Pattern), the Scanner walks the bytes beside it and notes where each value
// stands. Depth, length and the number of kept values are bounded, so that no
// document can take more memory or time than its size allows.
package jsonscan
