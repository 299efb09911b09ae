// Package promlint reads queries as text and says what is wrong with them, measured by the catalogue: names and labels
// that nobody emits, counters without a rate, rates that are not summed, quantiles that lost le, sampled gauges that are
// summed over processes, ratios that fail where there is nothing.
//
// It reads the part of PromQL that Stent's queries use. Whether Prometheus accepts a query is told by promtool.
package promlint
