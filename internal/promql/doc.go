// Package promql writes queries about the metrics of the catalogue. A query begins with a [metrics.Metric], so that it
// cannot ask for what nobody emits; a label that the metric does not have, and an aggregation that would be wrong for
// the metric's kind or source, is a fault of the program that writes the query, and panics.
//
// The types keep the order in which a query is built: a [Series] is read from the database of metrics, [Rates] of
// counters are per process and have to be summed, and an [Expr] is a vector that can be compared and combined.
package promql
