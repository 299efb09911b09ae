// Package otel records what an engine does with OpenTelemetry's metric API, under the names of the catalogue in package
// metrics: stent.tasks.completed and so on.
//
//	recorder, err := stentotel.New(otel.GetMeterProvider())
//	engine, err := core.New(db, core.WithMetrics(recorder))
//
// The SDK, its readers and exporters are the program's choice. Exporters to Prometheus, and Prometheus's own OTLP
// receiver, make the names of package recorder/prometheus of these, so that one set of dashboards serves both.
package otel
