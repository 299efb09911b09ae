package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/pgtest"
)

func TestAStartInATransactionOfTheProgramsOwn(t *testing.T) {
	m := newMill(t, pgtest.DSN(t))
	execute(t, m.dsn, "CREATE TABLE orders (id text PRIMARY KEY)")
	conn := connect(t, m.dsn)
	order := func(id string, fail error) error {
		return pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "INSERT INTO orders (id) VALUES ($1)", id); err != nil {
				return err
			}
			s := newStart(id)
			s.Tags, s.Metadata, s.Carrier = []string{`a "b"`, `\`}, map[string]string{"k": "v"}, map[string]string{"traceparent": "x"}
			if err := m.db.StartTx(t.Context(), tx, s); err != nil {
				return err
			}
			if s.Err != nil || s.Existed {
				t.Errorf("start of %s: %v, existed: %v", id, s.Err, s.Existed)
			}
			if _, err := m.db.Execution(t.Context(), id); !errors.Is(err, backend.ErrNotFound) {
				t.Errorf("%s can be seen before the commit: %v", id, err)
			}
			return fail
		})
	}
	told := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	other := open(t, m.dsn)
	go func() {
		done <- other.Watch(ctx, "", nil, func(backend.News) {
			select {
			case told <- struct{}{}:
			default:
			}
		})
	}()
	<-told // the watch has begun

	rollback := errors.New("rollback")
	if err := order("lost", rollback); !errors.Is(err, rollback) {
		t.Fatal(err)
	}
	if err := order("kept", nil); err != nil {
		t.Fatal(err)
	}
	<-told
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := m.db.Execution(t.Context(), "lost"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("after the rollback: %v", err)
	}
	var orders int
	if query(t, m.dsn, &orders, "SELECT count(*) FROM orders"); orders != 1 {
		t.Errorf("%d orders", orders)
	}
	if tasks := m.claim(5); len(tasks) != 0 {
		t.Errorf("claimed %v, which has tags that this worker has not", tasks)
	}
	e, err := m.db.Execution(t.Context(), "kept")
	if err != nil || len(e.Tags) != 2 || e.Tags[0] != `a "b"` || e.Tags[1] != `\` || e.Metadata["k"] != "v" || e.Carrier["traceparent"] != "x" {
		t.Errorf("started as %+v: %v", e, err)
	}
}

func TestAStartInATransactionThatMeetsAnExecutionHarmsItNot(t *testing.T) {
	m := newMill(t, pgtest.DSN(t))
	m.commit(newStart("a"))
	err := pgx.BeginFunc(t.Context(), connect(t, m.dsn), func(tx pgx.Tx) error {
		same, other, fresh := newStart("a"), newStart("a"), newStart("b")
		other.Workflow = "another"
		for _, s := range []*backend.Start{same, other, fresh} {
			if err := m.db.StartTx(t.Context(), tx, s); err != nil {
				return err
			}
		}
		if !same.Existed || same.Err != nil || !errors.Is(other.Err, backend.ErrAlreadyExists) || fresh.Existed {
			t.Errorf("same: %v %v, other: %v, fresh: %v", same.Existed, same.Err, other.Err, fresh.Existed)
		}
		if err := m.db.StartTx(t.Context(), tx, newStart("no text\x00")); err == nil {
			t.Error("a bad id is no error")
		}
		if err := m.db.StartTx(t.Context(), 7, newStart("c")); err == nil {
			t.Error("a bad transaction is no error")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.claim(5)); n != 2 {
		t.Errorf("claimed %d tasks", n)
	}
}
