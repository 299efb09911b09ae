package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func TestTheClockIsTheOnlyTime(t *testing.T) {
	ctx, now := context.Background(), time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	db := open(t, newPath(t), sqlite.Clock(func() time.Time { return now }))
	register := func(id string) {
		if _, err := db.Register(ctx, backend.Worker{ID: id, State: backend.WorkerReady}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	claim := func(worker string) []backend.Claimed {
		c := &backend.Claim{Queues: []string{"default"}, Steps: []string{"wf"}, Max: 5}
		b := &backend.Batch{Worker: worker, Commands: []backend.Command{c}}
		if err := db.Commit(ctx, b); err != nil || c.Err != nil || !b.Now.Equal(now) {
			t.Fatal(err, c.Err, b.Now)
		}
		return c.Tasks
	}
	reap := func(dead, tasks int) {
		t.Helper()
		r, err := db.Reap(ctx, 5)
		if err != nil || len(r.Workers) != dead || len(r.Tasks) != tasks {
			t.Fatalf("reaped %+v, %v", r, err)
		}
	}

	register("one")
	s := &backend.Start{ID: "a", Workflow: "wf", Queue: "default", Delay: time.Hour}
	if err := db.Commit(ctx, &backend.Batch{Commands: []backend.Command{s}}); err != nil {
		t.Fatal(err)
	}
	if now = now.Add(time.Hour - time.Microsecond); len(claim("one")) != 0 {
		t.Error("it was claimed before it was due")
	}
	if now = now.Add(time.Microsecond); len(claim("one")) != 1 {
		t.Error("it was not claimed when it was due")
	}
	reap(1, 1)
	register("two")
	if len(claim("two")) != 1 {
		t.Error("it was not given back")
	}
	now = now.Add(time.Minute - time.Microsecond)
	reap(0, 0)
	now = now.Add(time.Microsecond)
	reap(1, 1)

	if now = now.Add(24*time.Hour - 2*time.Minute); workers(t, db) != 2 {
		t.Error("dead workers are listed for a day")
	}
	now = now.Add(3 * time.Minute)
	reap(0, 0)
	if workers(t, db) != 0 {
		t.Error("after a day they are forgotten")
	}
}

func workers(t *testing.T, db *sqlite.DB) int {
	t.Helper()
	if _, err := db.Reap(context.Background(), 5); err != nil {
		t.Fatal(err)
	}
	all, err := db.Workers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
