// Package local runs all operators in one process and without Kafka, for files. Detect
// tasks work side by side, each on its share of the identities, as on Kafka; what
// comes out does not depend on their number.
package local
