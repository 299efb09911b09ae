package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

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
	beside      string // whose figures its own are set beside; "" for one that only is compared with
	make        func() (opts []core.Option, say func(context.Context), err error)
}

// Every activity logs one record where loggers are compared: the same one, with the task's fields, which the plain logger is
// given at the call.
var allVoices = []voice{
	{name: "silent", make: func() ([]core.Option, func(context.Context), error) { return nil, nil, nil }},
	{name: "log", title: "the engine's own log, slog's JSON, level info", beside: "silent", make: func() ([]core.Option, func(context.Context), error) {
		return []core.Option{core.WithLogger(slog.New(slog.NewJSONHandler(io.Discard, nil)))}, nil, nil
	}},
	{name: "prometheus", title: "recorder/prometheus", beside: "silent", make: func() ([]core.Option, func(context.Context), error) {
		r, err := prometheus.New(prom.NewRegistry())
		return []core.Option{core.WithMetrics(r)}, nil, err
	}},
	{name: "statsd", title: "recorder/statsd, to a socket that is read", beside: "silent", make: func() ([]core.Option, func(context.Context), error) {
		address, err := listenUDP()
		if err != nil {
			return nil, nil, err
		}
		r, err := statsd.New(address)
		return []core.Option{core.WithMetrics(r)}, nil, err
	}},
	{name: "otel", title: "recorder/otel, the SDK with a manual reader", beside: "silent", make: func() ([]core.Option, func(context.Context), error) {
		r, err := otel.New(metricsdk.NewMeterProvider(metricsdk.WithReader(metricsdk.NewManualReader())))
		return []core.Option{core.WithMetrics(r)}, nil, err
	}},
	{name: "unsampled", title: "tracing/otel, no trace sampled", beside: "silent", make: func() ([]core.Option, func(context.Context), error) {
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
	{name: "slog", title: "logctx/slog, a record an activity", beside: "plain slog", make: func() ([]core.Option, func(context.Context), error) {
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
	{name: "zap", title: "logctx/zap, a record an activity", beside: "plain zap", make: func() ([]core.Option, func(context.Context), error) {
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
	{name: "zerolog", title: "logctx/zerolog, a record an activity", beside: "plain zerolog", make: func() ([]core.Option, func(context.Context), error) {
		l := zerolog.New(io.Discard).Hook(stentzerolog.NewHook())
		return nil, func(ctx context.Context) { l.Info().Ctx(ctx).Int("cents", 42).Msg("charged") }, nil
	}},
}

func discard() zapcore.Core {
	return zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zapcore.InfoLevel)
}

// listenUDP reads packets and forgets them.
func listenUDP() (address string, err error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0") //nolint:noctx // it lives as long as the process
	if err != nil {
		return "", err
	}
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			if _, _, err := conn.ReadFrom(buffer); err != nil {
				return
			}
		}
	}()
	return conn.LocalAddr().String(), nil
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

// cost measures all voices in turns, and sets each beside the one without its signal.
func cost(ctx context.Context, args []string) error {
	var p plan
	if err := p.parse(p.flags("cost", "COST.md"), args); err != nil {
		return err
	}
	return withServer(ctx, func(s *server) error {
		var b strings.Builder
		fmt.Fprintf(&b, "# What signals cost\n\nWritten by `bench cost`. %s, PostgreSQL %s, %d rounds of %v each in turns. Workflows of five activities in sequence,\n"+
			"100 in flight, started and waited for. Each is set beside the same without the signal, round by round; the median counts. CPU is that of the\n"+
			"process and, with PostgreSQL, of the server: it moves less than the rate where a machine has other things to do. A log injector is set beside\n"+
			"the plain logger of its library that writes the same record, with the task's fields given at the call: what the record itself costs is its user's.\n\n"+
			"| database | signal | workflows/s | CPU µs | allocations | cost in CPU | cost in rate | allocations added |\n|---|---|---|---|---|---|---|---|\n",
			cpuModel(), s.version, p.rounds, p.length)
		for _, name := range []string{"pg-flow5", "sqlite-flow5"} {
			w, err := findRow(name)
			if err != nil {
				return err
			}
			if !p.rows.MatchString(name) {
				continue
			}
			r := result{row: w}
			for round := range p.rounds {
				for _, e := range voices() {
					if !p.engines.MatchString(e.name) {
						continue
					}
					m, err := measureApart(ctx, s, e, w, p.length)
					if ctx.Err() != nil {
						return ctx.Err()
					}
					if err != nil {
						return err
					}
					r.add(e, m, nil)
					fmt.Fprintf(os.Stderr, "%-15s %-15s round %d of %d: %s\n", w.name, e.name, round+1, p.rounds, describe(m, err))
				}
			}
			for _, v := range allVoices {
				if mine, other := r.of(v.name), r.of(v.beside); mine != nil && other != nil {
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

func costLine(mine, other *measured) string {
	more := func(of func(measurement) float64) string {
		return fmt.Sprintf("%+.1f %%", 100*ratio(mine, other, of))
	}
	allocs := func(m measurement) float64 { return m.PerOp.Mallocs }
	return fmt.Sprintf("%s | %s | %s | %s | %s | %+.1f |", rateOf(mine.rate()), number(mine.median(cpuOf)), number(mine.median(allocs)),
		more(cpuOf), more(func(m measurement) float64 { return 1 / m.rate() }), mine.median(allocs)-other.median(allocs))
}

// ratio is how much more of something mine took than other did in the same round, as a part; the median of the rounds.
func ratio(mine, other *measured, of func(measurement) float64) float64 {
	pairs := measured{}
	for i := range min(len(mine.all), len(other.all)) {
		pairs.all = append(pairs.all, measurement{Claim: of(mine.all[i])/of(other.all[i]) - 1})
	}
	return pairs.median(func(m measurement) float64 { return m.Claim })
}
