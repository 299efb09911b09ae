//go:build pictures

// Package pictures draws the dashboards from a live incident: make pictures.
package pictures

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
	"github.com/stentgo/stent/internal/promtest"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
)

// An hour of a shop's life in three minutes: well, then the gateway that charges cards slows down and fails, orders pile
// up and die, then it is mended and the dead letters are replayed.
const (
	well   = 60 * time.Second
	ill    = 50 * time.Second
	mended = 70 * time.Second
)

// shop is what the activities of the shop do, and how ill the gateway is.
type shop struct{ gateway atomic.Int32 }

const (
	fine int32 = iota
	slow
	down
)

var (
	validate = core.NewActivity[int, int]("validate_order")
	charge   = core.NewActivity[int, int]("charge_payment", core.Queue("billing"), core.SLO(0.99), core.MaxConcurrent(12),
		core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: 300 * time.Millisecond}))
	notify = core.NewActivity[int, int]("send_notification", core.Queue("mail"))
	orders = core.NewWorkflow[int, int]("order_workflow")
)

func order(flow *core.Flow, n int) (int, error) {
	n, err := validate.Call(flow, n)
	if err != nil {
		return 0, err
	}
	if n, err = charge.Call(flow, n); err != nil {
		return 0, err
	}
	return notify.Call(flow, n)
}

// work takes a time that differs from order to order, around so many milliseconds.
func work(ctx context.Context, n, milliseconds int) error {
	d := time.Duration(milliseconds) * time.Millisecond * time.Duration(50+n*37%160) / 100
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *shop) handlers() []core.Handler {
	return []core.Handler{
		orders.Handle(order),
		validate.Handle(func(ctx context.Context, n int) (int, error) { return n, work(ctx, n, 15) }),
		notify.Handle(func(ctx context.Context, n int) (int, error) { return n, work(ctx, n, 60) }),
		charge.Handle(func(ctx context.Context, n int) (int, error) {
			switch s.gateway.Load() {
			case slow:
				return n, work(ctx, n, 1800)
			case down:
				if n%4 != 0 {
					return 0, errors.Join(work(ctx, n, 400), errors.New("connection refused"))
				}
				return n, work(ctx, n, 900)
			}
			if n%29 == 0 && n%2 == 0 {
				return 0, core.NonRetryable(errors.New("card declined"))
			}
			return n, work(ctx, n, 120)
		}),
	}
}

func TestPictures(t *testing.T) {
	db, err := postgres.Open(t.Context(), pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	registry := prom.NewRegistry()
	recorder, err := stentprom.New(registry)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := core.New(db, core.WithMetrics(recorder), core.WithSampleInterval(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{}
	if err := engine.Register(s.handlers()...); err != nil {
		t.Fatal(err)
	}
	address := serve(t, recorder.Handler())
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := engine.Serve(ctx, core.WorkerConfig{Slots: 40, Name: "shop-1"}); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	running.Go(func() { customers(ctx, t, engine) })
	url := promtest.Prometheus(t, []byte(config(address)), map[string][]byte{
		"stent.rules.yml": alerts.Prometheus(alerts.Options{Scale: 1.0 / 60}),
	})

	begin := time.Now()
	wait(t, well)
	s.gateway.Store(slow)
	wait(t, ill/2)
	s.gateway.Store(down)
	wait(t, ill/2)
	s.gateway.Store(fine)
	wait(t, mended/2)
	dead, err := engine.DeadLetters(t.Context(), core.DeadLetterFilter{Limit: 25})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dead {
		if err := engine.Replay(t.Context(), d.Task); err != nil {
			t.Log(err)
		}
	}
	wait(t, mended/2)
	draw(t, url, begin, time.Now())
	stop()
	running.Wait()
}

// customers order about six times a second.
func customers(ctx context.Context, t *testing.T, engine *core.Engine) {
	tick := time.NewTicker(160 * time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		if _, err := orders.Start(ctx, engine, n, core.ID(fmt.Sprintf("order-%d", n))); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

func config(address string) string {
	return fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [stent.rules.yml]
scrape_configs:
  - job_name: shop
    static_configs: [{targets: [%q], labels: {namespace: shop, instance: shop-1}}]
`, address)
}

// draw lets the script draw what Prometheus holds.
func draw(t *testing.T, url string, from, to time.Time) {
	t.Helper()
	out, err := filepath.Abs(filepath.Join("..", "..", "docs", "pictures"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "draw.mjs", url, fmt.Sprint(from.Unix()), fmt.Sprint(to.Unix()), out, "interval=10s")
	cmd.Dir = "."
	said, err := cmd.CombinedOutput()
	t.Log(strings.TrimSpace(string(said)))
	if err != nil {
		t.Error(err)
	}
}
