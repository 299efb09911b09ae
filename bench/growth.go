package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// growthRows are Stent's own work while one thing grows.
func growthRows() []row {
	var all []row
	for _, kind := range []string{"postgres", "sqlite"} {
		add := func(name, title string, work func(context.Context, *round) error) {
			all = append(all, row{name: kind + "-" + name, title: title, kind: kind, unit: "workflow", work: work})
		}
		for _, n := range []int{0, 1_000_000, 10_000_000} {
			add(fmt.Sprintf("history-%d", n), fmt.Sprintf("%s finished tasks in the tables", thousands(n)), withHistory(n))
			all[len(all)-1].once = n > 1_000_000 // to fill the tables takes minutes
		}
		for _, n := range []int{0, 400_000} {
			add(fmt.Sprintf("backlog-%d", n), fmt.Sprintf("a backlog without activities, after %s of it", thousands(n)), withBacklog(n))
		}
		for _, n := range []int{1, 4, 16} {
			add(fmt.Sprintf("processes-%d", n), fmt.Sprintf("%d worker processes", n), withProcesses(n))
		}
		for _, n := range []int{1, 1000} {
			add(fmt.Sprintf("queues-%d", n), fmt.Sprintf("%s queues, served by one worker", thousands(n)), withQueues(n))
		}
		for _, p := range []struct {
			name    string
			size    int
			flights int
		}{{"100 B", 100, 100}, {"10 kB", 10_000, 100}, {"1 MiB", 1<<20 - 64, 10}} {
			add(fmt.Sprintf("payload-%d", p.size), fmt.Sprintf("payloads of %s, %d in flight", p.name, p.flights), withPayload(p.size, p.flights))
		}
	}
	return all
}

// growth measures Stent alone: where a curve bends is seen in its own figures.
func growth(ctx context.Context, args []string) error {
	var p plan
	f := p.flags("growth", "GROWTH.md")
	if err := p.parse(f, args); err != nil {
		return err
	}
	e, err := find("stent")
	if err != nil {
		return err
	}
	return withServer(ctx, func(s *server) error {
		var b strings.Builder
		fmt.Fprintf(&b, "# What grows\n\nWritten by `bench growth`. %s, PostgreSQL %s, %d rounds of %v each, medians. Workflows of five activities in sequence, 100 in flight\n"+
			"where nothing else is said, started and waited for by one process. A claim is of one task that is due, and giving it back: two commits.\n\n"+
			"| database | what | workflows/s | commits | log bytes | allocations | CPU µs | server CPU µs | claim ms |\n|---|---|---|---|---|---|---|---|---|\n",
			cpuModel(), s.version, p.rounds, p.length)
		for _, w := range growthRows() {
			if !p.rows.MatchString(w.name) {
				continue
			}
			m := measured{engine: e}
			rounds := p.roundsOf(w)
			for round := range rounds {
				one, err := measureApart(ctx, s, e, w, p.length)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				fmt.Fprintf(os.Stderr, "%-24s round %d of %d: %s\n", w.name, round+1, rounds, describe(one, err))
				if err != nil {
					m.failed = err
					break
				}
				m.all = append(m.all, one)
			}
			fmt.Fprintf(&b, "| %s | %s | %s\n", w.kind, w.title, grown(&m))
			if err := write(p.out, b.String()); err != nil {
				return err
			}
		}
		return nil
	})
}

func grown(m *measured) string {
	if m.failed != nil {
		return "failed: " + oneLine(m.failed.Error()) + " |||||||"
	}
	claim := "-"
	if ms := m.median(func(x measurement) float64 { return x.Claim }); ms > 0 {
		claim = number(ms)
	}
	per := func(of func(counters) float64) string { return number(m.per(of)) }
	return fmt.Sprintf("%s | %s | %s | %s | %s | %s | %s |", rateOf(m.rate()), per(func(c counters) float64 { return c.Commits }),
		per(func(c counters) float64 { return c.WAL }), per(func(c counters) float64 { return c.Mallocs }),
		per(func(c counters) float64 { return c.CPU * 1e6 }), per(func(c counters) float64 { return c.ServerCPU * 1e6 }), claim)
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// withHistory fills the tables with executions of five activities that ended long ago.
func withHistory(tasks int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		s := r.session.(*stent)
		if err := s.Serve(ctx); err != nil {
			return err
		}
		if err := s.Flow(ctx, 5); err != nil { // the one that is copied
			return err
		}
		if tasks > 0 {
			if err := fill(ctx, r.target, tasks/6); err != nil { // an orchestrator is a task too
				return fmt.Errorf("fill the tables: %w", err)
			}
		}
		if err := fly(ctx, r, s, 5, 100); err != nil {
			return err
		}
		var err error
		r.claim, err = s.claims(ctx, 200)
		return err
	}
}

// withBacklog measures when so many executions of a backlog are worked off, of which no vacuum takes anything away.
func withBacklog(before int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		s := r.session.(*stent)
		if err := withoutVacuum(ctx, r.target); err != nil {
			return err
		}
		total := before + int(float64(r.engine.backlog)*r.length.Seconds())
		for left := total; left > 0; left -= 1000 {
			if err := s.Insert(ctx, min(left, 1000)); err != nil {
				return err
			}
		}
		var n atomic.Int64
		reached, all := make(chan struct{}), make(chan struct{})
		if before == 0 {
			close(reached)
		}
		if err := s.Drain(ctx, func() {
			switch n.Add(1) {
			case int64(before):
				close(reached)
			case int64(total):
				close(all)
			}
		}); err != nil {
			return err
		}
		<-reached
		return r.measured(ctx, func() (int64, error) {
			from := n.Load()
			select {
			case <-all:
			case <-time.After(r.length):
			}
			return n.Load() - from, nil
		})
	}
}

// withoutVacuum keeps PostgreSQL's from coming in the middle.
func withoutVacuum(ctx context.Context, t target) error {
	if t.kind != "postgres" {
		return nil
	}
	conn, err := pgx.Connect(ctx, t.address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "ALTER TABLE stent.executions SET (autovacuum_enabled = off)")
	return err
}

// claims claims a task again and again, and gives the median of the times in milliseconds.
func (s *stent) claims(ctx context.Context, n int) (float64, error) {
	const worker = "claims"
	if _, err := s.db.Register(ctx, backend.Worker{ID: worker, Queues: []string{worker}, Steps: []string{"root_only"}, State: backend.WorkerReady}, time.Hour); err != nil {
		return 0, err
	}
	if _, err := rootOnly.Start(ctx, s.engine, 0, core.Queue(worker)); err != nil {
		return 0, err
	}
	var millis []float64
	for range n {
		begun := time.Now()
		c := &backend.Claim{Queues: []string{worker}, Steps: []string{"root_only"}, Max: 1}
		if err := s.db.Commit(ctx, &backend.Batch{Worker: worker, Commands: []backend.Command{c}}); err != nil {
			return 0, err
		}
		if len(c.Tasks) != 1 {
			return 0, fmt.Errorf("claimed %d tasks, want 1", len(c.Tasks))
		}
		back := &backend.Release{Task: c.Tasks[0].ID, Token: c.Tasks[0].Token}
		if err := s.db.Commit(ctx, &backend.Batch{Worker: worker, Commands: []backend.Command{back}}); err != nil {
			return 0, err
		}
		millis = append(millis, float64(time.Since(begun).Microseconds())/1000)
	}
	slices.Sort(millis)
	return millis[n/2], nil
}

// withProcesses has other processes do all the work; this one starts and waits.
func withProcesses(n int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		s := r.session.(*stent)
		if err := s.Prepare(); err != nil {
			return err
		}
		for range n {
			_, stop, err := otherProcess(ctx, r, "-flows")
			if err != nil {
				return err
			}
			defer stop()
		}
		for ready := 0; ready < n; { // all of them
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
			workers, err := s.db.Workers(ctx)
			if err != nil {
				return err
			}
			ready = len(workers)
		}
		return fly(ctx, r, s, 5, 100)
	}
}

// withQueues spreads the executions over queues.
func withQueues(n int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		s := r.session.(*stent)
		queues := make([]string, n)
		for i := range queues {
			queues[i] = fmt.Sprint("queue-", i)
		}
		if err := s.ServeQueues(ctx, queues); err != nil {
			return err
		}
		return fly(ctx, r, spread{s, queues, make(chan struct{}, 1), new(int)}, 5, 100)
	}
}

// spread starts each execution in the next of many queues.
type spread struct {
	*stent
	queues []string
	lock   chan struct{}
	next   *int
}

func (s spread) Flow(ctx context.Context, activities int) error {
	s.lock <- struct{}{}
	queue := s.queues[*s.next%len(s.queues)]
	*s.next++
	<-s.lock
	run, err := sequence.Start(ctx, s.engine, activities, core.Queue(queue))
	if err == nil {
		_, err = run.Wait(ctx)
	}
	return err
}

// withPayload gives every workflow and activity an input and a result of a size.
func withPayload(size, flights int) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		s := r.session.(*stent)
		if err := s.Serve(ctx); err != nil {
			return err
		}
		return fly(ctx, r, heavy{s, strings.Repeat("0123456789abcdef", size/16+1)[:size]}, 5, flights)
	}
}

type heavy struct {
	*stent
	text string
}

func (h heavy) Flow(ctx context.Context, _ int) error {
	run, err := echoes.Start(ctx, h.engine, h.text)
	if err == nil {
		_, err = run.Wait(ctx)
	}
	return err
}
