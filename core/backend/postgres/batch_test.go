package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestRefusedCommandsHarmNoOthers puts refused commands of each kind among good ones.
func TestRefusedCommandsHarmNoOthers(t *testing.T) {
	t.Run("together", func(t *testing.T) { refusedCommandsHarmNoOthers(t, (*postgres.DB).Commit) })
	t.Run("each apart", func(t *testing.T) { refusedCommandsHarmNoOthers(t, (*postgres.DB).CommitApart) })
}

func refusedCommandsHarmNoOthers(t *testing.T, commit func(*postgres.DB, context.Context, *backend.Batch) error) {
	m := newMill(t, pgtest.DSN(t))
	const n = 60
	for i := range n {
		m.commit(newStart(fmt.Sprint("x-", i)))
	}
	tasks := m.claim(n)
	var first, second []backend.Command
	for _, task := range tasks {
		first = append(first, &backend.Turn{Execution: task.ID.Execution, Token: task.Token, Added: []backend.Add{
			{Seq: 1, Key: "a#1", Kind: backend.Activity, Step: "a", Queue: "default", State: backend.Running},
			{Seq: 2, Key: "a#2", Kind: backend.Activity, Step: "a", Queue: "default", State: backend.Running},
		}})
	}
	m.commit(first...)
	refused := func(i int) bool { return i%7 == 3 }
	for i, task := range tasks {
		bad := int64(0)
		if refused(i) {
			bad = 5
		}
		id := func(seq int) backend.TaskID { return backend.TaskID{Execution: task.ID.Execution, Seq: seq} }
		switch i % 5 {
		case 0:
			second = append(second, &backend.Complete{Task: id(1), Token: 1 + bad})
		case 1:
			second = append(second, &backend.Bury{Task: id(1), Token: 1 + bad, State: backend.Failed, Reason: "r"})
		case 2:
			second = append(second, &backend.Retry{Task: id(1), Token: 1 + bad})
		case 3:
			second = append(second, &backend.Release{Task: id(1), Token: 1 + bad})
		case 4: // only its second end is bad
			second = append(second, &backend.Turn{Execution: task.ID.Execution, Token: task.Token,
				Completed: []*backend.Complete{{Task: id(1), Token: 1}, {Task: id(2), Token: 1 + bad}}, Close: &backend.Close{State: backend.Completed}})
		}
	}
	start, signal := newStart("new"), &backend.Signalled{Execution: "x-0", ID: "1", Name: "n"}
	batch := append(append([]backend.Command{}, second...), start, signal, &backend.Signalled{Execution: "nowhere", ID: "1", Name: "n"})
	if err := commit(m.db, t.Context(), &backend.Batch{Worker: "w", Commands: batch}); err != nil {
		t.Fatal(err)
	}
	histories, err := m.db.History(t.Context(), column(tasks, func(c backend.Claimed) string { return c.ID.Execution }))
	if err != nil {
		t.Fatal(err)
	}
	want := []backend.State{backend.Completed, backend.Failed, backend.Pending, backend.Pending, backend.Completed}
	for i, h := range histories {
		expected, sentinel := want[i%5], error(nil)
		if refused(i) {
			expected, sentinel = backend.Running, backend.ErrLeaseLost
		}
		if err := errOf(second[i]); !errors.Is(err, sentinel) {
			t.Errorf("%T %d: error is %v, want %v", second[i], i, err, sentinel)
		}
		if got := h.Tasks[0].State; got != expected {
			t.Errorf("%T %d: task is %s, want %s", second[i], i, got, expected)
		}
	}
	if start.Err != nil || signal.Err != nil || !errors.Is(batch[len(batch)-1].(*backend.Signalled).Err, backend.ErrNotFound) {
		t.Errorf("start: %v, signal: %v", start.Err, signal.Err)
	}
}

func column[T, V any](items []T, value func(T) V) (c []V) {
	for _, item := range items {
		c = append(c, value(item))
	}
	return c
}

func errOf(c backend.Command) error {
	switch c := c.(type) {
	case *backend.Turn:
		return c.Err
	case *backend.Complete:
		return c.Err
	case *backend.Bury:
		return c.Err
	case *backend.Retry:
		return c.Err
	case *backend.Release:
		return c.Err
	}
	return errors.New("unknown")
}

// TestTransactionsDoNotWaitForEachOtherInCircles has workers complete each other's activities while orchestrators yield
// and close, and signals come in any order. PostgreSQL counts the deadlocks.
func TestTransactionsDoNotWaitForEachOtherInCircles(t *testing.T) {
	dsn := pgtest.DSN(t)
	db := open(t, dsn)
	ctx := t.Context()
	var ids []string
	for range 40 {
		ids = append(ids, newID())
	}
	for _, id := range ids {
		if err := db.Commit(ctx, &backend.Batch{Commands: []backend.Command{newStart(id)}}); err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 6
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if err := weave(ctx, db, fmt.Sprint("w", i), rounds); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		for n := range 200 {
			var signals []backend.Command
			for _, at := range rand.Perm(len(ids))[:10] {
				signals = append(signals, &backend.Signalled{Execution: ids[at], ID: fmt.Sprint(n), Name: "n"})
			}
			if err := db.Commit(ctx, &backend.Batch{Commands: signals}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	stats, err := db.Stats(ctx)
	if err != nil || stats.Executions[backend.Completed] != int64(len(ids)) {
		t.Errorf("executions: %v, %v", stats.Executions, err)
	}
	_ = db.Close() // so that its connections' statistics are reported
	var deadlocks int
	query(t, dsn, &deadlocks, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
	if deadlocks > 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
}

// weave is a worker that adds an activity to every execution that it claims, waits for it, and closes the execution
// after some rounds. It ends when all have ended.
func weave(ctx context.Context, db *postgres.DB, id string, rounds int) error {
	if _, err := db.Register(ctx, backend.Worker{ID: id, State: backend.WorkerReady}, time.Hour); err != nil {
		return err
	}
	var next []backend.Command
	for {
		c := &backend.Claim{Queues: []string{"default"}, Steps: []string{"order_workflow", "a"}, Max: 8}
		if err := db.Commit(ctx, &backend.Batch{Worker: id, Commands: append(next, c)}); err != nil {
			return err
		}
		for _, n := range next {
			if err := errOf(n); err != nil {
				return err
			}
		}
		next = nil
		var roots []string
		tokens := map[string]int64{}
		for _, t := range c.Tasks {
			if t.Kind == backend.Activity {
				next = append(next, &backend.Complete{Task: t.ID, Token: t.Token})
			} else {
				roots, tokens[t.ID.Execution] = append(roots, t.ID.Execution), t.Token
			}
		}
		histories, err := db.History(ctx, roots)
		if err != nil {
			return err
		}
		for _, h := range histories {
			turn := &backend.Turn{Execution: h.Execution.ID, Token: tokens[h.Execution.ID]}
			unfinished := len(h.Tasks) > 0 && !h.Tasks[len(h.Tasks)-1].State.Final()
			if len(h.Tasks) < rounds && !unfinished {
				turn.Added = []backend.Add{{Seq: len(h.Tasks) + 1, Key: fmt.Sprint("a#", len(h.Tasks)+1), Kind: backend.Activity, Step: "a", Queue: "default", State: backend.Pending}}
			}
			if len(h.Tasks) == rounds && !unfinished {
				turn.Close = &backend.Close{State: backend.Completed}
			} else {
				turn.Yield = &backend.Yield{WakeIn: -1, Seen: h.Execution.Wakes}
			}
			next = append(next, turn)
		}
		if len(next) == 0 {
			stats, err := db.Stats(ctx)
			if err != nil || stats.Executions[backend.Pending]+stats.Executions[backend.Running] == 0 {
				return err
			}
		}
	}
}
