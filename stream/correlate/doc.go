// Package correlate is the operator that sees what stands out of the whole
// fleet. It opens, updates and closes episodes, gathers them into campaigns,
// decides what is told and what is held back, and publishes the parameters that
// detect uses in the next bin.
package correlate
