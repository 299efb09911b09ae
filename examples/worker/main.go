// Command worker is a worker to deploy: it serves what Kubernetes probes and Prometheus ask for, logs JSON that tells which task
// a record is of, and drains when it is told to end.
//
//	go run ./examples/worker --db orders.sqlite
//	go run ./examples/worker --db postgres://app@db/orders --listen :8080
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	stentslog "github.com/stentgo/stent/logctx/slog"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
)

func main() {
	dsn := flag.String("db", os.Getenv("STENT_DB"), "a `path`, or postgres://...")
	listen := flag.String("listen", "127.0.0.1:9464", "the `address` of probes and metrics")
	flag.Parse()
	slog.SetDefault(slog.New(stentslog.NewHandler(slog.NewJSONHandler(os.Stderr, nil))))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *dsn, *listen, nil); err != nil {
		slog.Error("the worker has ended", "error", err)
		os.Exit(1)
	}
}

// run works until ctx ends. It tells the address that it listens at, if anybody wants to know.
func run(ctx context.Context, dsn, listen string, listening func(net.Addr)) (err error) {
	db, err := open(ctx, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	recorder, err := stentprom.New(prometheus.NewRegistry())
	if err != nil {
		return err
	}
	engine, err := core.New(db, core.WithMetrics(recorder))
	if err != nil {
		return err
	}
	if err := engine.Register(handlers()...); err != nil {
		return err
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: endpoints(engine, recorder), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if listening != nil {
		listening(listener.Addr())
	}

	// Serve returns when the worker has drained; until then it is to be seen that it is not ready.
	err = engine.Serve(ctx, core.WorkerConfig{Slots: 100, DrainTimeout: 20 * time.Second})
	if closed := server.Close(); err == nil {
		err = closed
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// endpoints are what others ask of a worker. Alive is a process that answers. Ready is one that takes work: not while it
// starts, and no longer from the moment that it drains.
func endpoints(engine *core.Engine, recorder *stentprom.Recorder) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", recorder.Handler())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !engine.WorkerStatus().Ready {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return mux
}

func open(ctx context.Context, dsn string) (backend.Backend, error) {
	if strings.HasPrefix(dsn, "postgres") {
		return postgres.Open(ctx, dsn)
	}
	return sqlite.Open(ctx, dsn)
}
