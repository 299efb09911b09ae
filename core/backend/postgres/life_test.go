package postgres_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestTheLifeOfOneActivity holds what docs/architecture.md says is written for it: triggers on the tables note each row that
// an engine writes for a workflow of two activities, and in which transaction.
func TestTheLifeOfOneActivity(t *testing.T) {
	dsn := pgtest.DSN(t)
	db := open(t, dsn, postgres.Notify(false))
	conn := connect(t, dsn)
	note(t, conn)

	charge := core.NewActivity[int, int]("charge_payment")
	notify := core.NewActivity[int, int]("send_notification")
	orders := core.NewWorkflow[int, int]("order_workflow")
	engine, err := core.New(db)
	if err != nil {
		t.Fatal(err)
	}
	err = engine.Register(
		charge.Handle(func(_ context.Context, n int) (int, error) { return n, nil }),
		notify.Handle(func(_ context.Context, n int) (int, error) { return n, nil }),
		orders.Handle(func(flow *core.Flow, n int) (int, error) {
			n, err := charge.Call(flow, n)
			if err != nil {
				return 0, err
			}
			return notify.Call(flow, n)
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- engine.Serve(ctx, core.WorkerConfig{Lease: time.Hour}) }()
	for range 2 { // the first may begin before the worker does
		if _, err := conn.Exec(ctx, "TRUNCATE public.noted"); err != nil {
			t.Fatal(err)
		}
		run, err := orders.Start(ctx, engine, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	got := noted(t, conn)
	stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}

	page, err := os.ReadFile("../../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```text\n"+got+"```\n") {
		t.Errorf("docs/architecture.md does not have the rows that are written:\n%s", got)
	}
}

// note has the database keep each change of a row that belongs to an execution.
func note(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `
		CREATE TABLE public.noted (n bigint GENERATED ALWAYS AS IDENTITY, tx text, said text);
		CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
		DECLARE r jsonb := to_jsonb(NEW); what text;
		BEGIN
			what := CASE TG_TABLE_NAME
				WHEN 'executions' THEN 'executions order_workflow ' || (r->>'state')
				ELSE 'tasks      ' || (r->>'step') || ' ' || (r->>'state') || ', token ' || (r->>'token') || CASE WHEN r->>'due_at' IS NULL THEN '' ELSE ', due' END
			END;
			INSERT INTO public.noted (tx, said) VALUES (pg_current_xact_id()::text, lower(TG_OP) || ' ' || what);
			RETURN NEW;
		END $$;
		CREATE TRIGGER note AFTER INSERT OR UPDATE ON stent.executions FOR EACH ROW EXECUTE FUNCTION public.note();
		CREATE TRIGGER note AFTER INSERT OR UPDATE ON stent.tasks FOR EACH ROW EXECUTE FUNCTION public.note();`)
	if err != nil {
		t.Fatal(err)
	}
}

// noted are the changes, with the transactions numbered in their order. Within one, the order of statements is of no account.
func noted(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT tx, said FROM public.noted ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	of := map[string][]string{}
	var tx, said string
	if _, err := pgx.ForEachRow(rows, []any{&tx, &said}, func() error {
		if of[tx] == nil {
			order = append(order, tx)
		}
		of[tx] = append(of[tx], said)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, tx := range order {
		slices.Sort(of[tx])
		for _, said := range of[tx] {
			fmt.Fprintf(&b, "transaction %d  %s\n", i+1, said)
		}
	}
	return b.String()
}
