package operating_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/examples/operating"
)

// open makes an engine on a fresh file and serves it until the test ends.
func open(t *testing.T, opts []core.Option, handlers ...core.Handler) *core.Engine {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "shop.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := core.New(db, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Register(handlers...); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- engine.Serve(ctx, core.WorkerConfig{}) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-served, db.Close()); err != nil {
			t.Error(err)
		}
	})
	return engine
}

var pay = core.NewWorkflow[int, int]("pay", core.Queue("payments"))

func TestMaintenance(t *testing.T) {
	engine := open(t, nil, pay.Handle(func(_ *core.Flow, amount int) (int, error) { return amount, nil }))
	ctx := t.Context()
	var run *core.Run[int]
	err := operating.Maintenance(ctx, engine, func() (err error) {
		var out strings.Builder
		if err := operating.Paused(ctx, engine, &out); err != nil || out.String() != "payments: paused by maintenance job\n" {
			t.Errorf("%q, %v", &out, err)
		}
		run, err = pay.Start(ctx, engine, 7)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := run.Wait(ctx); err != nil || got != 7 {
		t.Errorf("%d, %v", got, err)
	}
}

func TestAfterTheOutage(t *testing.T) {
	var healthy atomic.Bool
	send := core.NewActivity[int, int]("send", core.Retry(core.RetryPolicy{MaxAttempts: 1}))
	parcels := core.NewWorkflow[int, int]("parcels")
	engine := open(t, nil,
		send.Handle(func(_ context.Context, i int) (int, error) {
			if !healthy.Load() {
				return 0, fmt.Errorf("no carrier for parcel %d", i)
			}
			return i, nil
		}),
		parcels.Handle(func(flow *core.Flow, i int) (int, error) { return send.Call(flow, i) }),
	)
	ctx := t.Context()
	var runs []*core.Run[int]
	for i := range 7 {
		run, err := parcels.Start(ctx, engine, i)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
	}
	fail := func() {
		for _, run := range runs {
			if _, err := run.Wait(ctx); err == nil {
				t.Fatal("it should have failed")
			}
		}
	}
	fail()
	var out strings.Builder
	if err := operating.AfterTheOutage(ctx, engine, "send", &out); err == nil || !strings.HasPrefix(out.String(), "5 replayed, 0 skipped\n") ||
		!strings.HasSuffix(out.String(), " still fails\n") {
		t.Errorf("%q, %v", &out, err)
	}
	fail() // the canaries, again
	healthy.Store(true)
	out.Reset()
	if err := operating.AfterTheOutage(ctx, engine, "send", &out); err != nil || out.String() != "7 replayed, 0 skipped\n" {
		t.Errorf("%q, %v", &out, err)
	}
	for i, run := range runs {
		if got, err := run.Wait(ctx); err != nil || got != i {
			t.Errorf("%d, %v", got, err)
		}
	}
}

func TestKeepAndMakeRoom(t *testing.T) {
	engine := open(t, []core.Option{operating.Keep()}, pay.Handle(func(_ *core.Flow, amount int) (int, error) { return amount, nil }))
	run, err := pay.Start(t.Context(), engine, 7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := operating.MakeRoom(t.Context(), engine); err != nil || n != 0 {
		t.Errorf("%d deleted that completed just now, %v", n, err)
	}
	if _, err := engine.StateOf(t.Context(), run.ID()); err != nil {
		t.Error(err)
	}
}

func TestARehearsal(t *testing.T) {
	count := core.NewWorkflow[int, string]("count")
	engine := open(t, nil, count.Handle(func(flow *core.Flow, _ int) (string, error) {
		tick, _ := flow.Tick()
		return tick.Schedule, nil
	}))
	ctx := t.Context()
	if err := count.PutSchedule(ctx, engine, core.Schedule{Name: "yearly", Cron: "@yearly"}, 1); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := operating.Late(ctx, engine, &out); err != nil || out.String() != "" {
		t.Errorf("%q, %v", &out, err)
	}
	id, err := operating.Rehearse(ctx, engine, "yearly")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := count.Attach(engine, id).Wait(ctx); err != nil || got != "yearly" {
		t.Errorf("%q, %v", got, err)
	}
	if s, err := engine.ScheduleStatus(ctx, "yearly"); err != nil || s.PausedBy != "anna" || !s.Next.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
}
