// Package stent is the front page of Stent, a durable-execution engine that lives inside a Go program and keeps its
// state in SQLite or PostgreSQL. It holds no code; this is the map.
//
//   - [github.com/stentgo/stent/core] is the engine: workflows, activities, signals, timers, workers.
//   - [github.com/stentgo/stent/core/backend] is the contract between the engine and a database, and
//     [github.com/stentgo/stent/core/backend/backendtest] the suite by which a backend proves that it keeps it.
//   - [github.com/stentgo/stent/core/backend/sqlite] keeps everything in one file, without cgo.
//   - [github.com/stentgo/stent/core/backend/postgres] keeps everything in one schema, for workers on many machines.
//   - [github.com/stentgo/stent/core/cron] reads the expressions of schedules, and tells when they tick.
//   - [github.com/stentgo/stent/core/stenttest] runs workflows in your tests, in memory, with a clock that moves by itself.
//   - [github.com/stentgo/stent/metrics] is the catalogue of metrics. Recorders show them to Prometheus, StatsD and
//     OpenTelemetry: [github.com/stentgo/stent/recorder/prometheus], [github.com/stentgo/stent/recorder/statsd],
//     [github.com/stentgo/stent/recorder/otel]; [github.com/stentgo/stent/recorder/recordertest] proves that one tells what
//     happened.
//   - [github.com/stentgo/stent/dashboards] and [github.com/stentgo/stent/alerts] are made from the catalogue.
//   - [github.com/stentgo/stent/tracing/otel] makes the spans of an execution one tree, [github.com/stentgo/stent/tracing/jaeger]
//     sends spans to agents that speak only Thrift.
//   - [github.com/stentgo/stent/logctx] and its subpackages add the running task's identity to what slog, zap and zerolog
//     log.
//
// The command that looks into a database is cmd/stent; whole programs to copy from are in examples.
package stent
