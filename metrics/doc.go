// Package metrics is the catalogue: every metric that Stent emits, declared once. Recorders make their instruments from
// it, dashboards and alert rules take names, labels and buckets from it, and the reference page is written from it. So a
// panel cannot ask for what nobody emits, and a name is changed in one place or not at all.
//
// It is data without behaviour, and imports nothing of Stent's: what emits a metric knows the catalogue, never the other
// way round.
package metrics
