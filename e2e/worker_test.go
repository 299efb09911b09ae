package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/logctx"
	stentslog "github.com/stentgo/stent/logctx/slog"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

// A test binary that is started with these is a worker: its database, a folder for what it tells, and its name.
const (
	envDatabase = "STENT_E2E_DATABASE"
	envFolder   = "STENT_E2E_FOLDER"
	envName     = "STENT_E2E_WORKER"
)

// database is a backend that tells of failed attempts.
type database interface {
	backend.Backend
	backend.Attempts
}

// open opens a DSN of PostgreSQL, or a file of SQLite.
func open(ctx context.Context, address string) (database, error) {
	if strings.HasPrefix(address, "postgres://") {
		return postgres.Open(ctx, address)
	}
	return sqlite.Open(ctx, address)
}

func TestMain(m *testing.M) {
	if name := os.Getenv(envName); name != "" {
		if err := work(os.Getenv(envDatabase), os.Getenv(envFolder), name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var (
	pack     = core.NewActivity[string, string]("pack_parcel")
	shipment = core.NewWorkflow[string, string]("shipment")
)

// work serves until SIGTERM or SIGKILL. Its log, its spans and the address of its metrics go to files, each record
// written before the program goes on, so that nothing is lost when it is killed.
func work(address, folder, name string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log, err := os.Create(filepath.Join(folder, name+".log"))
	if err != nil {
		return err
	}
	logger := slog.New(stentslog.NewHandler(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}), logctx.WithSpan(stentotel.Span)))
	spans, err := os.Create(filepath.Join(folder, name+".spans"))
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(&toFile{to: spans}), sdktrace.WithIDGenerator(stentotel.NewIDGenerator()))
	recorder, err := stentprom.New(prom.NewRegistry(), stentprom.WithExemplars(stentotel.SampledSpan))
	if err != nil {
		return err
	}
	db, err := open(ctx, address)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db, core.WithLogger(logger), core.WithMetrics(recorder),
		core.WithMiddleware(stentotel.New(stentotel.WithTracerProvider(provider))))
	if err != nil {
		return err
	}
	step := func(does func(ctx context.Context, info core.TaskInfo) error) func(context.Context, string) (string, error) {
		return func(ctx context.Context, order string) (string, error) {
			info, _ := core.InfoFrom(ctx)
			logger.InfoContext(ctx, "at work", "order", order)
			return order, does(ctx, info)
		}
	}
	err = engine.Register(
		shipment.Handle(func(flow *core.Flow, order string) (string, error) {
			for _, activity := range []*core.Activity[string, string]{validate, charge, pack, notify} {
				logger.InfoContext(flow.Context(), "next", "activity", activity.Name())
				if _, err := activity.Call(flow, order); err != nil {
					return "", err
				}
			}
			return order, nil
		}),
		validate.Handle(step(func(context.Context, core.TaskInfo) error { return nil })),
		notify.Handle(step(func(context.Context, core.TaskInfo) error { return nil })),
		charge.Handle(step(func(_ context.Context, info core.TaskInfo) error {
			if info.Attempt == 1 {
				return errors.New("card declined")
			}
			return nil
		})),
		pack.Handle(step(func(ctx context.Context, _ core.TaskInfo) error {
			marker, err := os.OpenFile(filepath.Join(folder, "packing"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return nil // somebody has been here before, and was killed
			}
			fmt.Fprint(marker, name)
			_ = marker.Close()
			<-ctx.Done()
			return ctx.Err()
		})))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, recorder.Handler()) }()
	if err := os.WriteFile(filepath.Join(folder, name+".addr"), []byte(listener.Addr().String()), 0o600); err != nil {
		return err
	}
	return engine.Serve(ctx, core.WorkerConfig{Name: name, Lease: 6 * time.Second}) // longer than a machine stands still
}

// spanLine is a span as a worker writes it.
type spanLine struct {
	Trace, Span, Parent, Name string
	Attrs                     map[string]string
	Links                     []string // span ids
	Error                     string
}

// toFile is an exporter that writes a line for each span.
type toFile struct {
	mu sync.Mutex
	to *os.File
}

func (f *toFile) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range spans {
		if err := json.NewEncoder(f.to).Encode(lineOf(s)); err != nil {
			return err
		}
	}
	return nil
}

func (f *toFile) Shutdown(context.Context) error { return nil }

func lineOf(s sdktrace.ReadOnlySpan) spanLine {
	line := spanLine{
		Trace: s.SpanContext().TraceID().String(), Span: s.SpanContext().SpanID().String(), Parent: s.Parent().SpanID().String(),
		Name: s.Name(), Attrs: map[string]string{}, Error: s.Status().Description,
	}
	for _, kv := range s.Attributes() {
		line.Attrs[string(kv.Key)] = kv.Value.Emit()
	}
	for _, l := range s.Links() {
		line.Links = append(line.Links, l.SpanContext.SpanID().String())
	}
	return line
}
