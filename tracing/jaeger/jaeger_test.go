package jaeger_test

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	stentjaeger "github.com/stentgo/stent/tracing/jaeger"
)

// An agent gets the spans in packets of Thrift's compact protocol. What a real Jaeger makes of them is tested in the e2e
// module.
func TestSpansArriveAtAnAgent(t *testing.T) {
	agent, err := net.ListenPacket("udp", "127.0.0.1:0") //nolint:noctx // a test's socket
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()
	exporter, err := stentjaeger.NewExporter(agent.LocalAddr().String(), stentjaeger.WithMaxPacketSize(2000))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	for range 20 {
		_, span := provider.Tracer("test").Start(t.Context(), "stent.execute charge_payment")
		span.End()
	}
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := agent.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 1<<16)
	for spans := 0; spans < 20; {
		n, _, err := agent.ReadFrom(packet)
		if err != nil {
			t.Fatalf("%d of 20 spans came: %v", spans, err)
		}
		if n > 2000 || !bytes.HasPrefix(packet[:n], []byte{0x82}) || !bytes.Contains(packet[:n], []byte("emitBatch")) {
			t.Fatalf("a packet of %d bytes begins with %q", n, packet[:min(n, 40)])
		}
		spans += bytes.Count(packet[:n], []byte("stent.execute charge_payment"))
	}
}

func TestAnAddressThatCannotBe(t *testing.T) {
	if _, err := stentjaeger.NewExporter("localhost"); err == nil || !strings.Contains(err.Error(), "want host:port") {
		t.Errorf("error %v", err)
	}
	if _, err := stentjaeger.NewExporter(""); err != nil {
		t.Errorf("the default: %v", err)
	}
}
