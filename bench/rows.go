package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/internal/pgtest"
)

// row is one kind of work, and a line of the table.
type row struct {
	name   string
	title  string
	kind   string // of database
	normal bool   // SQLite with synchronous=NORMAL
	unit   string // of an operation
	// target is the rate that Stent is to reach, in thousands a second, and limit that of the least program on the machine
	// where the target was set. Rates differ from machine to machine; their ratio hardly does.
	target, limit float64
	rate          int  // starts a second, where the times to their begins count
	once          bool // it takes long and hardly differs from round to round
	counted       bool // queries are counted on their way to the server
	work          func(ctx context.Context, r *round) error
}

var rows = []row{
	{name: "pg-insert", title: "PostgreSQL, insert of executions in batches", kind: "postgres", unit: "execution", target: 55.0, limit: 107, work: insert},
	{name: "pg-roots", title: "PostgreSQL, root-only executions, 100 slots", kind: "postgres", unit: "execution", target: 20.0, limit: 50, work: drain},
	{name: "pg-flow1", title: "PostgreSQL, workflow of 1 activity, 100 in flight", kind: "postgres", unit: "workflow", target: 6.0, limit: 14.1, work: flows(1, 100)},
	{name: "pg-flow5", title: "PostgreSQL, workflow of 5 activities in sequence, 100 in flight", kind: "postgres", unit: "workflow", target: 2.5, limit: 5.5, work: flows(5, 100)},
	{name: "pg-remote5", title: "PostgreSQL, the same with the activities on another worker process", kind: "postgres", unit: "workflow", target: 0.9, limit: 1.9, work: remote(5, 100)},
	{name: "pg-single", title: "PostgreSQL, workflow of 1 activity, one at a time", kind: "postgres", unit: "workflow", target: 0.6, limit: 0.839, work: flows(1, 1)},
	{name: "sqlite-flow5", title: "SQLite FULL, workflow of 5 activities, 100 in flight", kind: "sqlite", unit: "workflow", target: 3.0, limit: 8.1, work: flows(5, 100)},
	{name: "sqlite-normal5", title: "SQLite NORMAL, the same", kind: "sqlite", normal: true, unit: "workflow", target: 4.0, limit: 13.4, work: flows(5, 100)},
	{name: "sqlite-insert", title: "SQLite, batch insert", kind: "sqlite", unit: "execution", target: 80.0, limit: 154, work: insert},
	{name: "pg-starts", title: "PostgreSQL, from a start to the begin of its activity, 200 a second", kind: "postgres", unit: "start", rate: 200, work: starts(200, false)},
	{name: "pg-starts-apart", title: "PostgreSQL, the same, begun by another process", kind: "postgres", unit: "start", rate: 200, work: starts(200, true)},
	{name: "pg-idle", title: "PostgreSQL, idle worker", kind: "postgres", unit: "second", once: true, counted: true, work: idle},
	{name: "sqlite-idle", title: "SQLite, idle worker", kind: "sqlite", unit: "second", once: true, work: idle},
}

func findRow(name string) (row, error) {
	for _, r := range slices.Concat(rows, growthRows(), latencyRows()) {
		if r.name == name {
			return r, nil
		}
	}
	return row{}, fmt.Errorf("no row %q", name)
}

// round is one measurement under way.
type round struct {
	target  target
	way     *pgtest.Counted // to the database, where queries are counted on it
	engine  engine
	session session
	length  time.Duration
	claim   float64   // see measurement.Claim
	millis  []float64 // likewise
	before  counters
	ops     int64
	took    time.Duration
	after   counters
}

// measured runs fn between two looks at the counters. fn gives the number of operations.
func (r *round) measured(ctx context.Context, fn func() (int64, error)) (err error) {
	if r.before, err = count(ctx, r.target); err != nil {
		return err
	}
	begun := time.Now()
	if r.ops, err = fn(); err != nil {
		return err
	}
	r.took = time.Since(begun)
	r.after, err = count(ctx, r.target)
	return err
}

// insert inserts batches of 1000 until the time is over.
func insert(ctx context.Context, r *round) error {
	s, ok := r.session.(inserter)
	if !ok {
		return errNotHad
	}
	if err := s.Insert(ctx, 100); err != nil {
		return err
	}
	return r.measured(ctx, func() (n int64, err error) {
		for end := time.Now().Add(r.length); time.Now().Before(end); n += 1000 {
			if err := s.Insert(ctx, 1000); err != nil {
				return n, err
			}
		}
		return n, nil
	})
}

// drain works off a backlog until it is gone or the time is over.
func drain(ctx context.Context, r *round) error {
	s, ok := r.session.(drainer)
	if !ok {
		return errNotHad
	}
	backlog := max(int(float64(r.engine.backlog)*r.length.Seconds()), 100)
	for left := backlog; left > 0; left -= 1000 {
		if err := s.Insert(ctx, min(left, 1000)); err != nil {
			return err
		}
	}
	return r.measured(ctx, func() (int64, error) {
		var n atomic.Int64
		all := make(chan struct{})
		if err := s.Drain(ctx, func() {
			if n.Add(1) == int64(backlog) {
				close(all)
			}
		}); err != nil {
			return 0, err
		}
		select {
		case <-all:
		case <-time.After(r.length):
		}
		return n.Load(), nil
	})
}

// flows keeps some workflows in flight until the time is over.
func flows(activities, flights int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		s, ok := r.session.(flower)
		if !ok {
			return errNotHad
		}
		if err := s.Serve(ctx); err != nil {
			return err
		}
		return fly(ctx, r, s, activities, flights)
	}
}

func fly(ctx context.Context, r *round, s flower, activities, flights int) error {
	if _, err := inFlight(ctx, s, activities, flights, r.length/4); err != nil { // until pools and plans are warm
		return err
	}
	return r.measured(ctx, func() (int64, error) { return inFlight(ctx, s, activities, flights, r.length) })
}

func inFlight(ctx context.Context, s flower, activities, flights int, d time.Duration) (int64, error) {
	var (
		n      atomic.Int64
		wg     sync.WaitGroup
		end    = time.Now().Add(d)
		failed atomic.Pointer[error]
	)
	for range flights {
		wg.Go(func() {
			for time.Now().Before(end) && failed.Load() == nil {
				if err := s.Flow(ctx, activities); err != nil {
					failed.Store(&err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return n.Load(), nil
}

// remote has the activities run by another process.
func remote(activities, flights int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		s, ok := r.session.(remoter)
		if !ok {
			return errNotHad
		}
		if err := s.ServeFlows(ctx); err != nil {
			return err
		}
		_, stop, err := otherProcess(ctx, r)
		if err != nil {
			return err
		}
		defer stop()
		return fly(ctx, r, s, activities, flights)
	}
}

// otherProcess has this program serve once more; lines are what it says, stop kills it.
func otherProcess(ctx context.Context, r *round, args ...string) (lines *bufio.Scanner, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	args = append([]string{"serve", "-engine", r.engine.name, "-kind", r.target.kind, "-address", r.target.address, fmt.Sprintf("-full=%t", r.target.full)}, args...)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	return bufio.NewScanner(out), sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }), nil
}

// idle serves an empty database, once all that happens at a start is over. A worker that renews a lease may do so as
// rarely as every ten seconds.
func idle(ctx context.Context, r *round) error {
	settles, window := 8*time.Second, 10*time.Second
	if r.length < time.Second {
		settles, window = time.Second, time.Second
	}
	s, ok := r.session.(idler)
	if !ok {
		return errNotHad
	}
	if err := s.Serve(ctx); err != nil {
		return err
	}
	if err := pause(ctx, settles); err != nil {
		return err
	}
	var asked int64
	err := r.measured(ctx, func() (int64, error) {
		if r.way != nil {
			asked = -r.way.Asked.Load()
		}
		err := pause(ctx, window)
		if r.way != nil {
			asked += r.way.Asked.Load()
		}
		return int64(window.Seconds()), err
	})
	r.before.Queries, r.after.Queries = 0, float64(asked+ownQueries)
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
