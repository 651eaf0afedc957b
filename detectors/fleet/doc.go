// Package fleet holds what all identities teach about each: hour-of-week shapes,
// what peers are like, what all do today, and how high evidence must be for the
// alert budget.
//
// Sums take in what each closed bin tells, in whole numbers, so that adding them in
// any order gives the same. Model.CloseBin folds the sums of a bin into the Fleet
// and makes the Parameters that the next bin is scored with. The measures, which
// fleet and score share, are here too.
package fleet
