package stent_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// Stories that only a server can have.

func TestWorkersRecoverByThemselvesWhenTheServerCrashes(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	w := &world{
		T: t, backend: "postgres", address: server.Database(t),
		dial: func(ctx context.Context, dsn string) (backend.Backend, error) { return postgres.Open(ctx, dsn) },
	}
	ledger := filepath.Join(t.TempDir(), "ledger")
	for range 2 {
		w.workerIn(ledger)
	}
	client := w.program()

	const executions = 400
	var clients sync.WaitGroup
	for c := range 4 {
		clients.Go(func() {
			for i := c; i < executions; i += 4 {
				id := core.ID(fmt.Sprint("crash-", i))
				for { // a start whose outcome is unknown is settled by starting again
					if _, err := chained.Start(w.ctx(), client.Engine, i, id); err == nil {
						break
					} else if w.ctx().Err() != nil {
						t.Errorf("start %d: %v", i, err)
						return
					}
					<-time.After(20 * time.Millisecond)
				}
			}
		})
	}
	for round := range 3 {
		limit := (round + 1) * 200
		w.eventually(fmt.Sprintf("%d activities have run", limit), func() bool { return len(w.entries(ledger)) >= limit })
		before := w.completed(client.db)
		if err := server.Crash(w.ctx()); err != nil {
			t.Fatal(err)
		}
		ran := len(w.entries(ledger))
		if err := server.Start(w.ctx()); err != nil {
			t.Fatal(err)
		}
		w.eventually("the work goes on", func() bool { return len(w.entries(ledger)) > ran || ran >= 5*executions })
		for _, task := range w.entries(ledger)[ran:] {
			if before[task] {
				t.Errorf("crash %d: %s ran again after its completion was committed", round, task)
			}
		}
	}
	clients.Wait()
	for i := range executions {
		run := chained.Attach(client.Engine, fmt.Sprint("crash-", i))
		w.eventually(fmt.Sprintf("execution %d has ended", i), func() bool {
			out, err := run.Wait(w.ctx())
			return err == nil && out == i+5
		})
	}
}

func TestAWorkerWhoseClockIsAnHourOffBehavesTheSame(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		if w.backend == "sqlite" {
			return // its database's clock is the machine's, and so every worker's
		}
		var did tally
		nap := core.NewWorkflow[int, bool]("nap")
		handlers := append(orderHandlers(&did, func(n int) error {
			if n == 1 {
				return errors.New("once")
			}
			return nil
		}), nap.Handle(func(flow *core.Flow, ms int) (bool, error) {
			return true, flow.Sleep(time.Duration(ms) * time.Millisecond)
		}))
		for _, off := range []time.Duration{-time.Hour, time.Hour} {
			e, err := core.New(w.open(), core.WithClock(offClock{off}))
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Register(handlers...); err != nil {
				t.Fatal(err)
			}
			p := &program{Engine: e, w: w, stop: func() {}}
			p.serve(core.WorkerConfig{Lease: crashLease, EvictAfter: time.Millisecond})

			begun := time.Now()
			if !wait(p, start(p, nap, 300)) {
				t.Error("no result")
			}
			if d := time.Since(begun); d < 300*time.Millisecond || d > 10*time.Second {
				t.Errorf("clock %v off: slept %v instead of 300ms", off, d)
			}
			begun = time.Now()
			delayed := start(p, orders, order{"d", 1}, core.Delay(200*time.Millisecond))
			if got := wait(p, delayed); got != "receipt-d" || time.Since(begun) < 200*time.Millisecond {
				t.Errorf("clock %v off: %q after %v", off, got, time.Since(begun))
			}
			p.ready()
			p.stop()
		}
	})
}

// offClock is a clock that is wrong by a constant.
type offClock struct{ off time.Duration }

func (c offClock) Now() time.Time { return time.Now().Add(c.off) }

func (offClock) AfterFunc(d time.Duration, f func()) core.ClockTimer { return time.AfterFunc(d, f) }

func TestAStartInTheCallersTransactionIsAtomicWithTheCallersTable(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p := w.program(orderHandlers(&did, nil)...).serve(core.WorkerConfig{})
		table := openTable(t, w)
		insert := func(id string, commit bool) error {
			return table.inTx(w.ctx(), commit, func(tx any, exec func(sql string) error) error {
				if err := exec("INSERT INTO shop_orders (id) VALUES ('" + id + "')"); err != nil {
					return err
				}
				_, err := orders.StartTx(w.ctx(), p.Engine, tx, order{id, 1}, core.ID(id))
				return err
			})
		}
		if err := insert("kept", true); err != nil {
			t.Fatal(err)
		}
		if err := insert("dropped", false); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, orders.Attach(p.Engine, "kept")); got != "receipt-kept" {
			t.Errorf("result %q", got)
		}
		if _, err := p.StateOf(w.ctx(), "dropped"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("an execution of a transaction that was rolled back: %v", err)
		}
		if n := table.count(w.ctx()); n != 1 {
			t.Errorf("%d rows in the user's table", n)
		}
		if stats, err := p.db.Stats(w.ctx()); err != nil || stats.Executions[backend.Completed] != 1 || stats.Executions[backend.Pending] != 0 {
			t.Errorf("counts %v, %v", stats.Executions, err)
		}
		// The same id with another input is refused, and the transaction goes on.
		err := table.inTx(w.ctx(), true, func(tx any, exec func(sql string) error) error {
			_, err := orders.StartTx(w.ctx(), p.Engine, tx, order{"other", 2}, core.ID("kept"))
			if !errors.Is(err, core.ErrAlreadyExists) {
				t.Errorf("another input under the same id: %v", err)
			}
			again, err := orders.StartTx(w.ctx(), p.Engine, tx, order{"kept", 1}, core.ID("kept"))
			if err != nil || !again.Existed {
				t.Errorf("the same again: %+v, %v", again, err)
			}
			return exec("INSERT INTO shop_orders (id) VALUES ('after')")
		})
		if err != nil || table.count(w.ctx()) != 2 {
			t.Errorf("the transaction after a refusal: %v", err)
		}
		if _, err := orders.StartTx(w.ctx(), p.Engine, 7, order{"x", 1}); err == nil {
			t.Error("an int was taken for a transaction")
		}
	})
}

// usersTable is a table of the user's own, beside Stent's.
type usersTable interface {
	inTx(ctx context.Context, commit bool, fn func(tx any, exec func(sql string) error) error) error
	count(ctx context.Context) int
}

func openTable(t *testing.T, w *world) usersTable {
	if w.backend == "sqlite" {
		return openSQLiteTable(t, w)
	}
	conn, err := pgx.Connect(w.ctx(), w.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(w.ctx(), "CREATE TABLE shop_orders (id text PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	return postgresTable{t, conn}
}

type postgresTable struct {
	t    *testing.T
	conn *pgx.Conn
}

func (p postgresTable) inTx(ctx context.Context, commit bool, fn func(tx any, exec func(sql string) error) error) error {
	tx, err := p.conn.Begin(ctx)
	if err != nil {
		return err
	}
	err = fn(tx, func(sql string) error { _, err := tx.Exec(ctx, sql); return err })
	if err != nil || !commit {
		return errors.Join(err, tx.Rollback(ctx))
	}
	return tx.Commit(ctx)
}

func (p postgresTable) count(ctx context.Context) (n int) {
	if err := p.conn.QueryRow(ctx, "SELECT count(*) FROM shop_orders").Scan(&n); err != nil {
		p.t.Error(err)
	}
	return n
}
