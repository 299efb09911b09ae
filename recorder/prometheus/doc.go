// Package prometheus shows what an engine does as Prometheus metrics, under the names of the catalogue in package
// metrics.
//
//	registry := prometheus.NewRegistry()
//	recorder, err := stentprom.New(registry)
//	engine, err := core.New(db, core.WithMetrics(recorder))
//	http.Handle("/metrics", recorder.Handler())
//
// Programs that import client_golang too give this package another name; the documentation calls it stentprom.
package prometheus
