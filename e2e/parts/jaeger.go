package parts

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// Jaeger is a running all-in-one.
type Jaeger struct {
	Agent string // host:port for Thrift in its compact form, by UDP
	OTLP  string // URL for OTLP over HTTP
	Query string // URL of its API
}

// StartJaeger starts Jaeger, which keeps what it gets in memory.
func StartJaeger(t testing.TB) *Jaeger {
	t.Helper()
	binary := Build(t, "jaeger", "github.com/jaegertracing/jaeger/cmd/all-in-one")
	p := Ports(t, 11)
	program := Start(t, binary, []string{"SPAN_STORAGE_TYPE=memory", "OTEL_TRACES_SAMPLER=always_off"},
		"--processor.jaeger-compact.server-host-port="+addr(p[0]),
		"--processor.jaeger-compact.server-socket-buffer-size=4194304", // spans that come while it stands still
		"--collector.otlp.http.host-port="+addr(p[1]),
		"--query.http-server.host-port="+addr(p[2]),
		"--collector.otlp.grpc.host-port="+addr(p[3]),
		"--processor.jaeger-binary.server-host-port="+addr(p[4]),
		"--processor.zipkin-compact.server-host-port="+addr(p[5]),
		"--http-server.host-port="+addr(p[6]),
		"--query.grpc-server.host-port="+addr(p[7]),
		"--collector.grpc-server.host-port="+addr(p[8]),
		"--collector.http-server.host-port="+addr(p[9]),
		"--admin.http.host-port="+addr(p[10]),
		"--reporter.grpc.host-port="+addr(p[8]), "--log-level=error",
	)
	program.Ready(t, "http://"+addr(p[10])+"/")
	return &Jaeger{Agent: addr(p[0]), OTLP: "http://" + addr(p[1]), Query: "http://" + addr(p[2])}
}

// JaegerSpan is a span as Jaeger's query API tells it.
type JaegerSpan struct {
	TraceID    string `json:"traceID"`
	ID         string `json:"spanID"`
	Name       string `json:"operationName"`
	References []struct {
		Type    string `json:"refType"` // CHILD_OF, FOLLOWS_FROM
		TraceID string `json:"traceID"`
		ID      string `json:"spanID"`
	} `json:"references"`
	Start    int64         `json:"startTime"` // microseconds
	Duration int64         `json:"duration"`
	Tags     []JaegerField `json:"tags"`
	Logs     []struct {
		Fields []JaegerField `json:"fields"`
	} `json:"logs"`
}

// JaegerField is a tag, or a field of a log.
type JaegerField struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// Tag is the value of a tag, as text; "" if there is none.
func (s *JaegerSpan) Tag(key string) string {
	for _, f := range s.Tags {
		if f.Key == key {
			return fmt.Sprint(f.Value)
		}
	}
	return ""
}

// Parent is the id of the span that this one is a child of; "" if there is none.
func (s *JaegerSpan) Parent() string {
	for _, r := range s.References {
		if r.Type == "CHILD_OF" {
			return r.ID
		}
	}
	return ""
}

// Trace reads a trace; it says so where Jaeger does not know it (yet).
func (j *Jaeger) Trace(id string) ([]JaegerSpan, error) {
	response, err := http.Get(j.Query + "/api/traces/" + id) //nolint:noctx // a test's
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Data []struct {
			Spans []JaegerSpan `json:"spans"`
		} `json:"data"`
		Errors []struct {
			Message string `json:"msg"`
		} `json:"errors"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", response.Status, err)
	}
	if len(answer.Data) != 1 {
		return nil, fmt.Errorf("%d traces with the id %s: %s: %v", len(answer.Data), id, response.Status, answer.Errors)
	}
	return answer.Data[0].Spans, nil
}
