// Package jaeger sends spans to a Jaeger agent in Thrift over UDP, by default on port 6831, for set-ups that have agents
// and no collector. Jaeger itself has taken OTLP since version 1.35, which needs no package of ours: prefer
// go.opentelemetry.io/otel/exporters/otlp.
//
//	exporter, err := stentjaeger.NewExporter("localhost:6831")
//	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithIDGenerator(stentotel.NewIDGenerator()))
//	engine, err := core.New(db, core.WithMiddleware(stentotel.New(stentotel.WithTracerProvider(provider))))
//
// It wires go.opentelemetry.io/otel/exporters/jaeger, which OpenTelemetry deprecated in 2023 and which still works; no
// other package of Stent imports that.
package jaeger

import (
	"fmt"
	"net"

	"go.opentelemetry.io/otel/exporters/jaeger" //nolint:staticcheck // deprecated, and the point of this package
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// DefaultAgent is where an agent listens on the same machine, for Thrift in its compact form.
const DefaultAgent = "localhost:6831"

// Option is an option of [NewExporter].
type Option func(*settings)

type settings struct{ packet int }

// WithMaxPacketSize sets the most bytes of a UDP packet. Default 65000; less where the network drops large ones.
func WithMaxPacketSize(bytes int) Option { return func(s *settings) { s.packet = bytes } }

// NewExporter makes an exporter for the SDK, which sends to an agent at host:port; "" is [DefaultAgent]. Whether anybody
// listens there is not known with UDP: what cannot be sent is lost. The address is looked up again every 30 s.
func NewExporter(agent string, opts ...Option) (sdktrace.SpanExporter, error) {
	if agent == "" {
		agent = DefaultAgent
	}
	host, port, err := net.SplitHostPort(agent)
	if err != nil {
		return nil, fmt.Errorf("jaeger: agent %q: want host:port: %w", agent, err)
	}
	var s settings
	for _, opt := range opts {
		opt(&s)
	}
	to := []jaeger.AgentEndpointOption{jaeger.WithAgentHost(host), jaeger.WithAgentPort(port)}
	if s.packet > 0 {
		to = append(to, jaeger.WithMaxPacketSize(s.packet))
	}
	exporter, err := jaeger.New(jaeger.WithAgentEndpoint(to...))
	if err != nil {
		return nil, fmt.Errorf("jaeger: agent %s: %w", agent, err)
	}
	return exporter, nil
}
