package drill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/logctx"
	stentslog "github.com/stentgo/stent/logctx/slog"
	stentotelmetrics "github.com/stentgo/stent/recorder/otel"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
	stentstatsd "github.com/stentgo/stent/recorder/statsd"
	stentjaeger "github.com/stentgo/stent/tracing/jaeger"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

// envProcess is set in a test binary that is to be one of the shop's processes: its role, as JSON.
const envProcess = "STENT_DRILL_PROCESS"

func TestMain(m *testing.M) {
	if told := os.Getenv(envProcess); told != "" {
		var r role
		err := json.Unmarshal([]byte(told), &r)
		if err == nil {
			err = r.run()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, r.Name, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// role is what a process of the shop is and where it finds the others.
type role struct {
	Name      string
	Namespace string   // tells its database from others
	Queues    []string // that it serves; none for one that only starts executions
	Tags      []string
	Slots     int
	Lease     time.Duration
	Poll      time.Duration // 0: the default
	Customers time.Duration // it orders for itself so often; 0: never
	Budget    int           // of label values; 0: the default
	Careless  bool          // it has one recorder more, that panics now and then

	Database string // a DSN or a file
	Metrics  string // where it serves them
	StatsD   string // of its own statsd_exporter, which shows metrics at the same address
	OTLP     string // of the collector
	Agent    string // of Jaeger
	Log      string // a file
}

const (
	lease  = 5 * time.Second // as long as a busy machine may keep a worker from its heartbeat
	sample = time.Second     // how often each process reads the gauges, and tells them by OTLP
)

// process is an engine with all that can be seen of it.
type process struct {
	role
	*shop
	engine *core.Engine
	db     backend.Backend
	clock  *clock
	hidden atomic.Bool // its metrics cannot be scraped
	close  []func(context.Context) error
}

// open makes a process. It counts with all three recorders, sends its spans by both ways, and logs.
func (r role) open(ctx context.Context) (*process, error) {
	p := &process{role: r, clock: &clock{}}
	file, err := os.OpenFile(r.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	handler := slog.NewJSONHandler(file, &slog.HandlerOptions{Level: slog.LevelDebug})
	p.shop = &shop{log: slog.New(stentslog.NewHandler(handler, logctx.WithSpan(stentotel.Span))), is: map[string]string{}}

	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { p.log.Warn("telemetry is lost", "error", err) }))
	spans, err := p.spans(ctx)
	if err != nil {
		return nil, err
	}
	recorders, err := p.recorders(ctx)
	if err != nil {
		return nil, err
	}
	if p.db, err = p.database(ctx); err != nil {
		return nil, err
	}
	p.engine, err = core.New(p.db, core.WithLogger(p.log), core.WithMetrics(recorders...), core.WithSampleInterval(sample), core.WithClock(p.clock),
		core.WithMiddleware(stentotel.New(stentotel.WithTracerProvider(spans))))
	if err != nil {
		return nil, err
	}
	if len(r.Queues) > 0 {
		err = p.engine.Register(p.handlers(r.Queues)...)
	}
	return p, err
}

func (p *process) database(ctx context.Context) (backend.Backend, error) {
	if !strings.Contains(p.Database, "://") {
		db, err := sqlite.Open(ctx, p.Database)
		if err == nil {
			p.close = append(p.close, func(context.Context) error { return db.Close() })
		}
		return db, err
	}
	db, err := postgres.Open(ctx, p.Database)
	if err == nil {
		p.close = append(p.close, func(context.Context) error { return db.Close() })
	}
	return db, err
}

// spans go to one Jaeger in Thrift by UDP, and to another by OTLP and the collector.
func (p *process) spans(ctx context.Context) (*sdktrace.TracerProvider, error) {
	agent, err := stentjaeger.NewExporter(p.Agent)
	if err != nil {
		return nil, err
	}
	otlp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(p.OTLP+"/v1/traces"))
	if err != nil {
		return nil, err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(stentotel.NewIDGenerator()), sdktrace.WithResource(p.resource("shop")),
		sdktrace.WithBatcher(agent, sdktrace.WithBatchTimeout(sample/2)), sdktrace.WithBatcher(otlp, sdktrace.WithBatchTimeout(sample/2)))
	p.close = append(p.close, provider.Shutdown)
	return provider, nil
}

func (p *process) recorders(ctx context.Context) ([]core.MetricsRecorder, error) {
	prometheus, err := stentprom.New(prom.NewRegistry(), stentprom.WithExemplars(stentotel.SampledSpan), stentprom.WithBudget(p.Budget))
	if err != nil {
		return nil, err
	}
	statsd, err := stentstatsd.New(p.StatsD, stentstatsd.WithBudget(p.Budget))
	if err != nil {
		return nil, err
	}
	// What could not be sent is not sent again: the next time it is in the sums.
	exporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(p.OTLP+"/v1/metrics"), otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}))
	if err != nil {
		return nil, err
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(p.resource("shop-otel")),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(sample))))
	instruments, err := stentotelmetrics.New(provider, stentotelmetrics.WithBudget(p.Budget))
	if err != nil {
		return nil, err
	}
	p.close = append(p.close, func(context.Context) error { return statsd.Close() }, provider.Shutdown)
	all := []core.MetricsRecorder{prometheus, statsd, instruments}
	if p.Careless {
		all = append(all, careless{})
	}
	return all, p.serve(ctx, prometheus.Handler())
}

// resource becomes the labels job, instance and namespace.
func (p *process) resource(job string) *resource.Resource {
	return resource.NewSchemaless(attribute.String("service.name", job), attribute.String("service.instance.id", p.Name),
		attribute.String("namespace", p.Namespace))
}

// serve serves the metrics, and lets the story say what is wrong: POST /is?what=gateway&how=slow.
func (p *process) serve(ctx context.Context, metrics http.Handler) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		if p.hidden.Load() {
			http.Error(w, "hidden by the story", http.StatusServiceUnavailable)
			return
		}
		metrics.ServeHTTP(w, r)
	})
	mux.HandleFunc("POST /is", func(_ http.ResponseWriter, r *http.Request) {
		what, how := r.FormValue("what"), r.FormValue("how")
		switch what {
		case "clock":
			ahead, _ := time.ParseDuration(how)
			p.clock.ahead.Store(int64(ahead))
		case "metrics":
			p.hidden.Store(how == "hidden")
		default:
			p.set(what, how)
		}
	})
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", p.Metrics)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	p.close = append(p.close, func(context.Context) error { return server.Close() })
	return nil
}

// run works until SIGUSR1, which lets it drain and go on showing what it counted, and ends with SIGTERM.
func (r role) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	signal.Ignore(os.Interrupt) // a Ctrl-C is the story's, which then ends its processes
	work, drain := signal.NotifyContext(ctx, syscall.SIGUSR1)
	defer drain()
	p, err := r.open(ctx)
	if err != nil {
		return err
	}
	if r.Customers > 0 {
		go p.customers(work)
	}
	if err := p.engine.Serve(work, core.WorkerConfig{
		Name: r.Name, Slots: r.Slots, Queues: r.Queues, Tags: r.Tags, Lease: r.Lease, MaxCrashes: 2, PollInterval: r.Poll, DrainTimeout: time.Second,
	}); err != nil {
		return err
	}
	p.log.Info("drained")
	<-ctx.Done()
	p.end()
	return nil
}

// end closes everything, within 2 s. What cannot be told any more is lost.
func (p *process) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, c := range p.close {
		if err := c(ctx); err != nil {
			p.log.Warn("cannot close", "error", err)
		}
	}
}

// customers order, until ctx ends.
func (p *process) customers(ctx context.Context) {
	tick := time.NewTicker(p.Customers)
	defer tick.Stop()
	for n := 1; ; n++ {
		if _, err := orders.Start(ctx, p.engine, n); err != nil && ctx.Err() == nil {
			p.log.Warn("an order is lost", "error", err) // its database is out of reach: part of the story
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// careless is a recorder with a fault.
type careless struct{ core.NopRecorder }

func (careless) ExecutionFinished(context.Context, core.ExecutionFinished) { panic("division by zero") }

// clock is the machine's, or one that goes ahead of it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) AfterFunc(d time.Duration, f func()) core.ClockTimer { return time.AfterFunc(d, f) }
