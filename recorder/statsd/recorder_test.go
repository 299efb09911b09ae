package statsd_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/statsdtest"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/recordertest"
	stentstatsd "github.com/stentgo/stent/recorder/statsd"
)

func newRecorder(t testing.TB, s *statsdtest.Server, opts ...stentstatsd.Option) *stentstatsd.Recorder {
	t.Helper()
	r, err := stentstatsd.New(s.Address(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestConformance(t *testing.T) { recordertest.Run(t, statsdtest.Target) }

// A million executions with a thousand names of steps stay in the budget. UDP may lose some of them, so it is names that are
// counted.
func TestCardinality(t *testing.T) {
	var mu sync.Mutex
	names, folded := map[string]bool{}, ""
	s := statsdtest.Each(t, func(line []byte) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		mu.Lock()
		defer mu.Unlock()
		if names[string(name)] = true; string(name) == "stent.label_values_folded.step" {
			folded = string(value)
		}
	})
	r := newRecorder(t, s)
	recordertest.Crowd(t.Context(), r)
	s.Drain(t) // so that there is room for the rest
	r.Sampled(t.Context(), &core.Sample{})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(5 * time.Millisecond) {
		mu.Lock()
		told, steps := folded, 0
		for name := range names {
			if strings.HasPrefix(name, "stent.tasks.completed.") {
				steps++
			}
		}
		mu.Unlock()
		if told != "" {
			if told != "800|c" || steps > metrics.DefaultBudget+1 || steps < 2 {
				t.Errorf("%d names of steps, and %s folded; want at most %d, and 800|c", steps, told, metrics.DefaultBudget+1)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("how many names were folded did not arrive within 30s")
		}
	}
}

// everything tells one event of each kind that has a promised path.
func everything(t testing.TB, r *stentstatsd.Recorder) {
	t.Helper()
	ctx := t.Context()
	r.TaskClaimed(ctx, core.TaskClaimed{Queue: "default", Step: "charge", Kind: backend.Activity})
	r.TaskCompleted(ctx, core.TaskCompleted{Queue: "default", Step: "charge", Kind: backend.Activity, Duration: 1500 * time.Millisecond})
	r.TaskFailed(ctx, core.TaskFailed{Queue: "default", Step: "charge", Kind: backend.Activity, Retrying: true})
	r.TaskFailed(ctx, core.TaskFailed{Queue: "default", Step: "charge", Kind: backend.Activity})
	r.DeadLettered(ctx, core.DeadLettered{Queue: "default", Step: "charge", Kind: backend.Activity})
	r.LeaseRenewed(ctx, core.LeaseRenewed{Result: core.Renewed})
	r.LeaseRenewed(ctx, core.LeaseRenewed{Result: core.RenewalError})
	r.TaskClaimed(ctx, core.TaskClaimed{Queue: "a b", Step: "billing:charge|v2 x@1#y\nz", Kind: backend.Activity})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLines(t *testing.T) {
	for _, test := range []struct {
		name string
		opts []stentstatsd.Option
		want []string
	}{
		{"paths", nil, []string{
			"stent.tasks.claimed.default.charge:1|c", "stent.tasks.completed.default.charge:1|c", "stent.tasks.duration.default.charge:1500|ms",
			"stent.tasks.retrying.default.charge:1|c", "stent.tasks.failed.default.charge:1|c", "stent.dlq.default.charge:1|c",
			"stent.leases.renewed:1|c", "stent.leases.failed:1|c", "stent.tasks.claimed.a_b.billing_charge_v2_x_1_y_z:1|c",
		}},
		{"a prefix", []stentstatsd.Option{stentstatsd.WithPrefix("acme.shop")}, []string{"acme.shop.tasks.claimed.default.charge:1|c"}},
		{"DogStatsD", []stentstatsd.Option{stentstatsd.WithTags(stentstatsd.DogStatsD)}, []string{
			"stent.tasks.claimed:1|c|#queue:default,step:charge,kind:activity", "stent.tasks.duration:1500|ms|#queue:default,step:charge",
			"stent.tasks.retrying:1|c|#queue:default,step:charge,retrying:true",
		}},
		{"Influx", []stentstatsd.Option{stentstatsd.WithTags(stentstatsd.Influx)}, []string{"stent.tasks.claimed,queue=default,step=charge,kind=activity:1|c"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := statsdtest.Listen(t)
			everything(t, newRecorder(t, s, test.opts...))
			for _, line := range test.want {
				s.Until(t, line)
			}
			for _, line := range s.Lines() {
				if strings.Count(line, ":") < 1 || strings.ContainsAny(line, " @\n") || line == "" {
					t.Errorf("line %q", line)
				}
			}
		})
	}
}

// TestDurationsAreMillisecondsAndNotRounded has a step for each: rounded, the one just above 2.5 ms would be in another bucket than
// where Prometheus has it.
func TestDurationsAreMillisecondsAndNotRounded(t *testing.T) {
	s := statsdtest.Listen(t)
	r := newRecorder(t, s)
	want := map[time.Duration]string{
		0: "0", 1: "0.000001", 500: "0.0005", 90 * time.Microsecond: "0.09", 100 * time.Microsecond: "0.1", 105 * time.Microsecond: "0.105",
		time.Millisecond: "1", 1_234_567: "1.234567", 1_999_999: "1.999999", 2_010_000: "2.01", 2_500_000: "2.5", 2_500_001: "2.500001", 3 * time.Hour: "10800000", -1_500_000: "-1.5",
	}
	for d := range want {
		r.TaskCompleted(t.Context(), core.TaskCompleted{Queue: "default", Step: fmt.Sprint("took", int64(d)), Kind: backend.Activity, Duration: d})
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for d, text := range want {
		s.Until(t, fmt.Sprintf("stent.tasks.duration.default.took%d:%s|ms", int64(d), text))
	}
}

func TestPacketsAreLargeOnlyOnTheSameMachine(t *testing.T) {
	for host, want := range map[string]int{"127.0.0.1": 4000, "::1": 4000, "192.0.2.1": 1432, "2001:db8::1": 1432, "no such host": 1432} {
		if got := stentstatsd.PacketSize(host); got != want {
			t.Errorf("packets to %s have up to %d bytes, want %d", host, got, want)
		}
	}

	s := statsdtest.Deaf(t)
	r := newRecorder(t, s)
	for range 1000 {
		r.TaskCompleted(t.Context(), core.TaskCompleted{Queue: "default", Step: "charge", Kind: backend.Activity, Duration: time.Second})
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for large := false; !large; { // the first may be a small one, if 300 ms pass meanwhile
		n := s.Packet(t)
		if n > 4000 {
			t.Fatalf("a packet has %d bytes, want at most 4,000", n)
		}
		large = n > 1432
	}
}

func TestSamplingRate(t *testing.T) {
	s := statsdtest.Listen(t)
	r := newRecorder(t, s, stentstatsd.WithSamplingRate(0.5))
	for range 1000 {
		r.TaskCompleted(t.Context(), core.TaskCompleted{Queue: "default", Step: "charge", Kind: backend.Activity, Duration: time.Second})
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	s.Until(t, "stent.tasks.duration.default.charge:1000|ms|@0.5")
	s.Count(t, "stent.tasks.completed.default.charge", 1000)
	// The odds that of 1000 fewer than 300 or more than 700 are sent are below 1 in 10^30; UDP may lose some.
	if n := len(s.Lines()); n > 700 {
		t.Errorf("sent %d of 1000", n)
	}
}

func TestGauges(t *testing.T) {
	s := statsdtest.Listen(t)
	r := newRecorder(t, s)
	stats := func(queues ...backend.QueueStats) *core.Sample {
		return &core.Sample{At: time.Now(), ClockSkew: -2 * time.Second, Stats: backend.Stats{Queues: queues}}
	}
	r.Sampled(t.Context(), stats(backend.QueueStats{Queue: "mail", Depth: 7}))
	r.Sampled(t.Context(), stats())
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Join(s.Until(t, "stent.queues.mail.depth:0|g"), "\n")
	if !strings.Contains(lines, "stent.queues.mail.depth:7|g") || !strings.Contains(lines, "stent.database.clock_skew:0|g\nstent.database.clock_skew:-2|g") {
		t.Errorf("lines:\n%s", lines)
	}
}

// Counts are sent while the recorder is open, and none twice.
func TestCountsAreSummed(t *testing.T) {
	s := statsdtest.Listen(t)
	r := newRecorder(t, s)
	defer r.Close()
	for range 2 {
		for range 500 {
			r.WriteFenced(t.Context(), core.WriteFenced{})
		}
		s.Count(t, "stent.fenced_writes", 500)
		if n := len(s.Lines()); n > 50 {
			t.Errorf("500 events are %d lines", n)
		}
		s.Forget()
	}
}

// A server that is not there costs neither an error nor time.
func TestDeadServer(t *testing.T) {
	s := statsdtest.Listen(t)
	s.Close()
	r := newRecorder(t, s)
	for range 10_000 {
		r.WriteFenced(t.Context(), core.WriteFenced{})
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.WriteFenced(t.Context(), core.WriteFenced{}) // after its end it is silent
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		address string
		opts    []stentstatsd.Option
		want    string
	}{
		{"no-such-host.invalid:8125", nil, "no-such-host.invalid:8125"},
		{"127.0.0.1", nil, "missing port"},
		{":8125", nil, "want host:port"},
		{"127.0.0.1:8125", []stentstatsd.Option{stentstatsd.WithPrefix("a..b")}, `prefix "a..b"`},
		{"127.0.0.1:8125", []stentstatsd.Option{stentstatsd.WithPrefix("")}, `prefix ""`},
		{"127.0.0.1:8125", []stentstatsd.Option{stentstatsd.WithTags("graphite")}, `tag format "graphite"`},
		{"127.0.0.1:8125", []stentstatsd.Option{stentstatsd.WithSamplingRate(2)}, "sampling rate 2"},
		{"127.0.0.1:8125", []stentstatsd.Option{stentstatsd.WithResolveInterval(0)}, "resolve interval"},
		{"127.0.0.1:8125", []stentstatsd.Option{stentstatsd.WithBudget(-1)}, "-1"},
	} {
		if _, err := stentstatsd.New(test.address, test.opts...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("New(%q): %v, want an error with %s", test.address, err, test.want)
		}
	}
}

func TestEventsAllocateNothing(t *testing.T) {
	for _, opts := range [][]stentstatsd.Option{nil, {stentstatsd.WithTags(stentstatsd.DogStatsD)}, {stentstatsd.WithSamplingRate(0.5)}} {
		r := newRecorder(t, statsdtest.Deaf(t), opts...)
		recordertest.Allocations(t, r) // but for a packet's buffer, now and then
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkEvent(b *testing.B) {
	r := newRecorder(b, statsdtest.Deaf(b))
	defer r.Close()
	recordertest.Benchmark(b, r)
}

var update = flag.Bool("update", false, "write mapping.yml anew")

// mapping.yml is generated from the catalogue: `go test ./recorder/statsd -update`.
func TestMapping(t *testing.T) {
	want := stentstatsd.Mapping()
	if *update {
		if err := os.WriteFile("mapping.yml", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("mapping.yml")
	if err != nil || string(got) != want {
		t.Errorf("mapping.yml is not what the catalogue says: go test ./recorder/statsd -update (%v)", err)
	}
}

// statsd_exporter takes the first mapping that matches.
func TestNoMappingHidesALaterOne(t *testing.T) {
	var patterns []string
	for line := range strings.Lines(stentstatsd.Mapping()) {
		if match, ok := strings.CutPrefix(strings.TrimSpace(line), "- match: "); ok {
			patterns = append(patterns, strings.Trim(match, `"`))
		}
	}
	if len(patterns) < 40 {
		t.Fatalf("%d mappings", len(patterns))
	}
	for i, later := range patterns {
		for _, earlier := range patterns[:i] {
			if matches, err := filepath.Match(strings.ReplaceAll(earlier, ".", "/"), strings.ReplaceAll(later, ".", "/")); err != nil || matches {
				t.Errorf("%s comes before %s, which nothing reaches: %v", earlier, later, err)
			}
		}
	}
}
