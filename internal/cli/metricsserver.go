package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"

	stentprom "github.com/stentgo/stent/recorder/prometheus"
)

// metricsAddress is where metrics are served unless another address is given: this machine alone, on the port that
// OpenTelemetry's exporter for Prometheus has too.
const metricsAddress = "127.0.0.1:9464"

// metricsServer serves a recorder's metrics over HTTP.
type metricsServer struct {
	Recorder *stentprom.Recorder
	URL      string // of the metrics

	server *http.Server
	served chan error
}

// serveMetrics listens before it returns, so that an address that cannot be had is an error at once.
func serveMetrics(ctx context.Context, address string, opts ...stentprom.Option) (*metricsServer, error) {
	recorder, err := stentprom.New(prom.NewRegistry(), opts...)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", recorder.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/metrics", http.StatusFound)
	})
	s := &metricsServer{
		Recorder: recorder,
		URL:      "http://" + listener.Addr().String() + "/metrics",
		server:   &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute},
		served:   make(chan error, 1),
	}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// stop lets scrapes that are under way end.
func (s *metricsServer) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// checkAddress says what is wrong with an address before it is tried.
func checkAddress(flag, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return usagef("%s %q: want an address such as %s, or :9464 for all of this machine's", flag, address, metricsAddress)
	}
	return nil
}
