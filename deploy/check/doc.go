// Package check holds what lies in deploy/ against weir and against those who
// read it: queries against the metrics that weir exposes, the chart's objects
// against the types of Kubernetes' API, the configuration in it against weir's
// own reader. It is run by make deploy-check.
package check
