// Package drill is the whole chain against the real tools: an incident of a shop, from the first slow payment to the last
// alert that is resolved, with PostgreSQL, Prometheus, Alertmanager, statsd_exporter, Jaeger and an OpenTelemetry
// collector. It is a test, and with -stay a place to look around in. docs/drill.md tells what it proves.
package drill
