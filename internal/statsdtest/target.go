package statsdtest

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/recordertest"
	"github.com/stentgo/stent/recorder/statsd"
)

// Target is a recorder that sends to a server of its own, for recordertest.Run.
func Target(t *testing.T) recordertest.Target {
	t.Helper()
	s := Listen(t)
	r, err := statsd.New(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	closed := sync.OnceFunc(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		s.Drain(t)
	})
	return recordertest.Target{Recorder: r, NoKinds: true, Value: func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool) {
		t.Helper()
		closed()
		return s.value(t, m, labels)
	}}
}

// value is what a StatsD server knows of a metric: the sum of a counter, the last of a gauge, how many values of the rest.
func (s *Server) value(t testing.TB, m metrics.Metric, labels map[string]string) (value float64, told bool) {
	t.Helper()
	path := Path(m, labels)
	for _, line := range s.Lines() {
		name, rest, _ := strings.Cut(line, ":")
		if name != path {
			continue
		}
		number, _, _ := strings.Cut(rest, "|")
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Errorf("line %q: %v", line, err)
		}
		told = true
		switch m.Kind {
		case metrics.Counter:
			value += v
		case metrics.Gauge:
			value = v
		default:
			value++
		}
	}
	return value, told
}

// Path is where a metric with labels goes: what the catalogue says, with what would harm the protocol replaced. It is ""
// where StatsD has no such metric.
func Path(m metrics.Metric, labels map[string]string) string {
	for _, p := range m.StatsD {
		if p.Label != "" && labels[p.Label] != p.Value {
			continue
		}
		host, _ := os.Hostname()
		path := "stent." + strings.ReplaceAll(p.Template, "{host}", statsd.Sanitize(host))
		for name, v := range labels {
			v = strings.NewReplacer(".", "_", ":", "_", "|", "_", " ", "_").Replace(v)
			path = strings.ReplaceAll(path, "{"+name+"}", v)
		}
		return path
	}
	return ""
}
