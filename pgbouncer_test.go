//go:build pgbouncer

package stent_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestThroughPgBouncerInTransactionMode has everything go through a real PgBouncer: the schema's making, workers, starts,
// signals, waits and the console's reads. Nobody listens, so all that is told is found by polling. In the middle the
// bouncer is killed and comes back.
func TestThroughPgBouncerInTransactionMode(t *testing.T) {
	bouncer := pgtest.NewBouncer(t, pgtest.DSN(t))
	w := &world{
		T: t, backend: "postgres", address: bouncer.DSN(),
		dial: func(ctx context.Context, dsn string) (backend.Backend, error) {
			return postgres.Open(ctx, dsn, postgres.PgBouncer())
		},
	}
	double := core.NewActivity[int, int]("double")
	more := core.NewSignal[int]("more")
	wf := core.NewWorkflow[int, int]("doubling")
	handlers := []core.Handler{
		double.Handle(func(_ context.Context, n int) (int, error) { return 2 * n, nil }),
		wf.Handle(func(flow *core.Flow, n int) (int, error) {
			n, err := double.Call(flow, n)
			if err != nil {
				return 0, err
			}
			add, err := more.Receive(flow)
			if err != nil {
				return 0, err
			}
			flow.Counter("doubled").Add(1)
			return double.Call(flow, n+add)
		}),
	}
	for range 2 {
		w.program(handlers...).serve(core.WorkerConfig{Slots: 8})
	}
	client := w.program()

	const executions = 100
	var runs []*core.Run[int]
	for i := range executions {
		runs = append(runs, start(client, wf, i, core.ID(fmt.Sprint("bounced-", i))))
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			id := fmt.Sprint("bounced-", i)
			w.eventually("a signal to "+id+" is kept", func() bool { return more.Send(w.ctx(), client.Engine, id, 1) == nil })
		}
	}
	check := func(from, to int) {
		for i := from; i < to; i++ {
			w.eventually(fmt.Sprintf("execution %d has ended with its result", i), func() bool {
				out, err := runs[i].Wait(w.ctx())
				return err == nil && out == 2*(2*i+1)
			})
		}
	}
	send(0, executions/2)
	check(0, executions/2)
	if err := bouncer.Kill(w.ctx()); err != nil {
		t.Fatal(err)
	}
	if err := bouncer.Start(w.ctx()); err != nil {
		t.Fatal(err)
	}
	send(executions/2, executions)
	check(executions/2, executions)

	stats, err := client.db.Stats(w.ctx())
	if err != nil || stats.Executions[backend.Completed] != executions {
		t.Errorf("counts %v, %v", stats.Executions, err)
	}
	progress, err := client.db.Progress(w.ctx(), runs[0].ID())
	if err != nil || len(progress.Counters) != 1 || progress.Counters[0].Value != 1 {
		t.Errorf("counters %+v, %v", progress, err)
	}
	mode, clients, servers := bouncerPools(t, bouncer, w.address)
	t.Logf("mode %s, %d clients on %d connections to the server", mode, clients, servers)
	if mode != "transaction" || servers >= clients {
		t.Errorf("the bouncer is in %s mode, with %d clients on %d connections: want fewer connections than clients", mode, clients, servers)
	}
}

// bouncerPools asks the bouncer's console how the database's connections are shared.
func bouncerPools(t *testing.T, b *pgtest.Bouncer, dsn string) (mode string, clients, servers int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	config, err := pgx.ParseConfig(b.Console())
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	target, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(ctx, "SHOW POOLS")
	if err != nil {
		t.Fatal(err)
	}
	pools, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		t.Fatal(err)
	}
	number := func(pool map[string]any, names ...string) (n int) {
		for _, name := range names {
			var k int
			_, _ = fmt.Sscan(fmt.Sprint(pool[name]), &k)
			n += k
		}
		return n
	}
	for _, pool := range pools {
		if pool["database"] == target.Database {
			mode, _ = pool["pool_mode"].(string)
			clients += number(pool, "cl_active", "cl_waiting")
			servers += number(pool, "sv_active", "sv_idle", "sv_used", "sv_tested", "sv_login")
		}
	}
	return mode, clients, servers
}
