package parts

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// StartCollector starts an OpenTelemetry collector that hands on traces and metrics by OTLP over HTTP, each to an
// endpoint to whose address it adds /v1/traces and /v1/metrics. It returns its own address, a URL. It keeps nothing that
// cannot be handed on: who sent it learns that, and sends again or not.
func StartCollector(t testing.TB, traces, metrics string) string {
	t.Helper()
	binary := Build(t, "collector", ".")
	p := Ports(t, 1)
	config := filepath.Join(t.TempDir(), "collector.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, collectorConfig, addr(p[0]), traces, metrics), 0o600); err != nil {
		t.Fatal(err)
	}
	Start(t, binary, nil, "--config="+config).Listens(t, addr(p[0]))
	return "http://" + addr(p[0])
}

const collectorConfig = `receivers:
  otlp: {protocols: {http: {endpoint: %q}}}
exporters:
  otlp_http/traces: {endpoint: %q, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}
  otlp_http/metrics: {endpoint: %q, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http/traces]}
    metrics: {receivers: [otlp], exporters: [otlp_http/metrics]}
`
