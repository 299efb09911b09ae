package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/google/pprof/profile"
	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/propagation"
	metricsdk "go.opentelemetry.io/otel/sdk/metric"
	tracesdk "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/stentgo/stent/core"
	stentslog "github.com/stentgo/stent/logctx/slog"
	stentzap "github.com/stentgo/stent/logctx/zap"
	stentzerolog "github.com/stentgo/stent/logctx/zerolog"
	"github.com/stentgo/stent/recorder/otel"
	"github.com/stentgo/stent/recorder/prometheus"
	"github.com/stentgo/stent/recorder/statsd"
	tracing "github.com/stentgo/stent/tracing/otel"
)

// voice is Stent with one signal more than the voice that it is compared with.
type voice struct {
	name, title string
	beside      string // whose allocations its own are set beside; "" for one that only is compared with
	frames      string // an expression for the functions of the signal
	but         string // likewise, for what they call that is not the signal's: the engine, a library's own encoder
	make        func() (opts []core.Option, say func(context.Context), err error)
}

// Every activity logs one record where loggers are compared: the same one, with the task's fields, which the plain logger is
// given at the call.
var allVoices = []voice{
	{name: "silent", make: func() ([]core.Option, func(context.Context), error) { return nil, nil, nil }},
	{name: "log", title: "the engine's own log, slog's JSON, level info", beside: "silent", frames: `^log/slog\.`, make: func() ([]core.Option, func(context.Context), error) {
		return []core.Option{core.WithLogger(slog.New(slog.NewJSONHandler(io.Discard, nil)))}, nil, nil
	}},
	{name: "prometheus", title: "recorder/prometheus", beside: "silent", frames: `stent/recorder/|recorderQueue|prometheus/client_golang`, make: func() ([]core.Option, func(context.Context), error) {
		r, err := prometheus.New(prom.NewRegistry())
		return []core.Option{core.WithMetrics(r)}, nil, err
	}},
	{name: "statsd", title: "recorder/statsd, to a socket that is read", beside: "silent", frames: `stent/recorder/|recorderQueue|go-statsd-client`, make: func() ([]core.Option, func(context.Context), error) {
		address, err := listenUDP()
		if err != nil {
			return nil, nil, err
		}
		r, err := statsd.New(address)
		return []core.Option{core.WithMetrics(r)}, nil, err
	}},
	{name: "otel", title: "recorder/otel, the SDK with a manual reader", beside: "silent", frames: `stent/recorder/|recorderQueue|^go\.opentelemetry\.io/`, make: func() ([]core.Option, func(context.Context), error) {
		r, err := otel.New(metricsdk.NewMeterProvider(metricsdk.WithReader(metricsdk.NewManualReader())))
		return []core.Option{core.WithMetrics(r)}, nil, err
	}},
	{name: "unsampled", title: "tracing/otel, no trace sampled", beside: "silent", frames: `stent/tracing/|^go\.opentelemetry\.io/`, but: `stent/core\.`, make: func() ([]core.Option, func(context.Context), error) {
		provider := tracesdk.NewTracerProvider(tracesdk.WithSampler(tracesdk.NeverSample()), tracesdk.WithIDGenerator(tracing.NewIDGenerator()))
		return []core.Option{core.WithMiddleware(tracing.New(tracing.WithTracerProvider(provider), tracing.WithPropagator(propagation.TraceContext{})))}, nil, nil
	}},
	{name: "plain slog", make: func() ([]core.Option, func(context.Context), error) {
		l := slog.New(slog.NewJSONHandler(io.Discard, nil))
		return nil, func(ctx context.Context) {
			info, _ := core.InfoFrom(ctx)
			l.LogAttrs(ctx, slog.LevelInfo, "charged", slog.Int("cents", 42),
				slog.String("stent_execution_id", info.ExecutionID), slog.String("stent_task_id", info.TaskID),
				slog.String("stent_worker_id", info.WorkerID), slog.String("stent_step", info.Step),
				slog.String("stent_queue", info.Queue), slog.Int("stent_attempt", info.Attempt))
		}, nil
	}},
	{name: "slog", title: "logctx/slog, a record an activity", beside: "plain slog", frames: `stent/logctx/`, but: `slog\.\(\*JSONHandler\)|zapcore\.\(\*(ioCore|CheckedEntry)\)`, make: func() ([]core.Option, func(context.Context), error) {
		l := slog.New(stentslog.NewHandler(slog.NewJSONHandler(io.Discard, nil)))
		return nil, func(ctx context.Context) { l.LogAttrs(ctx, slog.LevelInfo, "charged", slog.Int("cents", 42)) }, nil
	}},
	{name: "plain zap", make: func() ([]core.Option, func(context.Context), error) {
		l := zap.New(discard())
		return nil, func(ctx context.Context) {
			info, _ := core.InfoFrom(ctx)
			l.Info("charged", zap.Int("cents", 42),
				zap.String("stent_execution_id", info.ExecutionID), zap.String("stent_task_id", info.TaskID),
				zap.String("stent_worker_id", info.WorkerID), zap.String("stent_step", info.Step),
				zap.String("stent_queue", info.Queue), zap.Int("stent_attempt", info.Attempt))
		}, nil
	}},
	{name: "zap", title: "logctx/zap, a record an activity", beside: "plain zap", frames: `stent/logctx/`, but: `slog\.\(\*JSONHandler\)|zapcore\.\(\*(ioCore|CheckedEntry)\)`, make: func() ([]core.Option, func(context.Context), error) {
		l := zap.New(discard(), stentzap.Wrap())
		return nil, func(ctx context.Context) { l.Info("charged", stentzap.Context(ctx), zap.Int("cents", 42)) }, nil
	}},
	{name: "plain zerolog", make: func() ([]core.Option, func(context.Context), error) {
		l := zerolog.New(io.Discard)
		return nil, func(ctx context.Context) {
			info, _ := core.InfoFrom(ctx)
			l.Info().Int("cents", 42).
				Str("stent_execution_id", info.ExecutionID).Str("stent_task_id", info.TaskID).Str("stent_worker_id", info.WorkerID).
				Str("stent_step", info.Step).Str("stent_queue", info.Queue).Int("stent_attempt", info.Attempt).Msg("charged")
		}, nil
	}},
	{name: "zerolog", title: "logctx/zerolog, a record an activity", beside: "plain zerolog", frames: `stent/logctx/`, but: `slog\.\(\*JSONHandler\)|zapcore\.\(\*(ioCore|CheckedEntry)\)`, make: func() ([]core.Option, func(context.Context), error) {
		l := zerolog.New(io.Discard).Hook(stentzerolog.NewHook())
		return nil, func(ctx context.Context) { l.Info().Ctx(ctx).Int("cents", 42).Msg("charged") }, nil
	}},
}

func discard() zapcore.Core {
	return zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zapcore.InfoLevel)
}

// listenUDP has another process read packets and forget them, as a server would.
func listenUDP() (address string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(self, "sink") //nolint:noctx // it ends with this process
	if _, err := cmd.StdinPipe(); err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	address, err = bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(address), err
}

// sinkHere is that process. It writes its address, and goes when its input ends.
func sinkHere(ctx context.Context) error {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(conn.LocalAddr())
	go func() {
		for buffer := make([]byte, 1<<16); err == nil; {
			_, _, err = conn.ReadFrom(buffer)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

// voices are the engines of `bench cost`.
func voices() []engine {
	var all []engine
	for _, v := range allVoices {
		all = append(all, engine{name: v.name, kinds: []string{"postgres", "sqlite"}, open: func(ctx context.Context, t target) (session, error) {
			opts, say, err := v.make()
			if err != nil {
				return nil, err
			}
			s, err := openStentWith(ctx, t, opts...)
			if err != nil {
				return nil, err
			}
			s.say = say
			return s, nil
		}})
	}
	return all
}

// cost measures each voice under the profiler, and what share of all CPU its signal has.
func cost(ctx context.Context, args []string) error {
	var p plan
	if err := p.parse(p.flags("cost", "COST.md"), args); err != nil {
		return err
	}
	return withServer(ctx, func(s *server) error {
		var b strings.Builder
		fmt.Fprintf(&b, "# What signals cost\n\nWritten by `bench cost`. %s, PostgreSQL %s. Workflows of five activities in sequence, 100 in flight, started and waited for;\n"+
			"%d rounds of %v each, medians. Two runs of the same program differ by some 5 %%, which is more than a signal costs; so the share of a signal is\n"+
			"read from a CPU profile: what its functions and those that they call took of a workflow, and of the garbage collector its part of\n"+
			"the allocations. The cost is that beside the rest: all other CPU of the process and, with PostgreSQL, of the server. A log injector's allocations\n"+
			"are set beside the plain logger of its library that writes the same record, with the task's fields given at the call.\n\n"+
			"| database | signal | workflows/s | CPU µs | of which the signal's | cost | allocations added |\n|---|---|---|---|---|---|---|\n",
			cpuModel(), s.version, p.rounds, p.length)
		for _, name := range []string{"pg-flow5", "sqlite-flow5"} {
			w, err := findRow(name)
			if err != nil {
				return err
			}
			if !p.rows.MatchString(name) {
				continue
			}
			all := map[string]*measured{}
			for round := range p.rounds {
				for _, v := range allVoices {
					if !p.engines.MatchString(v.name) {
						continue
					}
					m, err := v.measure(ctx, s, w, p.length, all[v.beside])
					if err != nil {
						return err
					}
					if all[v.name] == nil {
						all[v.name] = &measured{}
					}
					all[v.name].all = append(all[v.name].all, m)
					fmt.Fprintf(os.Stderr, "%-15s %-15s round %d of %d: %.1f of %.0f µs\n", w.name, v.name, round+1, p.rounds, m.Signal*1e6, cpuOf(m))
				}
			}
			for _, v := range allVoices {
				if mine, other := all[v.name], all[v.beside]; mine != nil && other != nil {
					fmt.Fprintf(&b, "| %s | %s | %s\n", w.kind, v.title, costLine(mine, other))
				}
			}
			if err := write(p.out, b.String()); err != nil {
				return err
			}
		}
		return nil
	})
}

func cpuOf(m measurement) float64 { return (m.PerOp.CPU + m.PerOp.ServerCPU) * 1e6 }

func allocations(m measurement) float64 { return m.PerOp.Mallocs }

func costLine(mine, other *measured) string {
	signal := mine.median(func(m measurement) float64 { return m.Signal * 1e6 })
	cost := mine.median(func(m measurement) float64 { return m.Signal * 1e6 / (cpuOf(m) - m.Signal*1e6) })
	return fmt.Sprintf("%s | %s | %.1f | %.1f %% | %+.1f |", rateOf(mine.rate()), number(mine.median(cpuOf)), signal, 100*cost,
		mine.median(allocations)-other.median(allocations))
}

// measure runs one round under the profiler. other is the voice without the signal, as far as it was measured.
func (v *voice) measure(ctx context.Context, s *server, w row, length time.Duration, other *measured) (m measurement, err error) {
	dir, err := os.MkdirTemp(s.dir, "profile-")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "cpu")
	if m, err = measureApart(ctx, s, engine{name: v.name}, w, length, "-cpuprofile", file); err != nil || v.frames == "" {
		return m, err
	}
	signal, collector, err := shares(file, v.owns())
	if err != nil {
		return m, err
	}
	added := max(allocations(m)-other.median(allocations), 0) / allocations(m)
	m.Signal = (signal + added*collector) * m.PerOp.CPU
	return m, nil
}

// owns tells of functions whether what they and others that they call do is the signal's, or not, or is not known by them.
func (v *voice) owns() func(function string) (mine, known bool) {
	frames, but := regexp.MustCompile(v.frames), regexp.MustCompile(v.but)
	return func(function string) (mine, known bool) {
		if v.but != "" && but.MatchString(function) {
			return false, true
		}
		mine = frames.MatchString(function)
		return mine, mine
	}
}

// shares tells from a CPU profile the part of what is owned, and that of the garbage collector where it is not.
func shares(file string, owns func(string) (bool, bool)) (signal, collector float64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		return 0, 0, err
	}
	total := 0.0
	for _, s := range p.Sample {
		n := float64(s.Value[len(s.Value)-1])
		total += n
		switch {
		case stands(s, owns):
			signal += n
		case stands(s, func(f string) (bool, bool) { found := collecting.MatchString(f); return found, found }):
			collector += n
		}
	}
	if total == 0 {
		return 0, 0, errors.New("the profile is empty: take longer")
	}
	return signal / total, collector / total, nil
}

var collecting = regexp.MustCompile(`^runtime\.(gcBgMarkWorker|gcAssistAlloc|bgsweep|bgscavenge)`)

// stands asks about the functions of a stack, the called one before its caller.
func stands(s *profile.Sample, owns func(string) (mine, known bool)) bool {
	for _, l := range s.Location {
		for _, line := range l.Line {
			if mine, known := owns(line.Function.Name); known {
				return mine
			}
		}
	}
	return false
}
