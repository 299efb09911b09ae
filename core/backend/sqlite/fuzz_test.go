package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// hostile are columns that somebody who can write to the file may fill with anything. An error is an answer; a panic, or a
// worker that can claim nothing else any more, is not.
var hostile = []struct{ table, column string }{
	{"executions", "tags"},
	{"executions", "failure"},
	{"executions", "cause"},
	{"executions", "state"},
	{"executions", "task_state"},
	{"executions", "created_at"},
	{"executions", "attempt"},
	{"executions", "workflow"},
	{"inputs", "policy"},
	{"inputs", "metadata"},
	{"inputs", "carrier"},
	{"inputs", "input"},
	{"tasks", "tags"},
	{"tasks", "kind"},
	{"tasks", "state"},
	{"tasks", "failure"},
	{"tasks", "key"},
	{"tasks", "policy"},
	{"tasks", "due_at"},
	{"dead_letters", "failure"},
	{"dead_letters", "tags"},
	{"failures", "failure"},
	{"signals", "payload"},
	{"signals", "sent_at"},
	{"counters", "value"},
	{"custom_state", "value"},
	{"workers", "queues"},
	{"workers", "limits"},
	{"workers", "lease_until"},
}

func FuzzHostileRow(f *testing.F) {
	for i := range hostile {
		for _, v := range []string{"", "null", "{", `["a"`, `{"a":1}`, "\x00\xff", "running"} {
			f.Add(uint8(i), v, int64(0), false)
		}
		f.Add(uint8(i), "", int64(-1), true)
		f.Add(uint8(i), "", int64(1)<<62, true)
	}
	// One file for all: each input starts from the row that the one before has left, put right.
	path := filepath.Join(f.TempDir(), "stent.db")
	db, err := sqlite.Open(context.Background(), path, sqlite.Synchronous(sqlite.Normal))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	other, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=ignore_check_constraints(1)")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = other.Close() })
	run := 0
	f.Fuzz(func(t *testing.T, which uint8, text string, number int64, isNumber bool) {
		ctx := context.Background()
		run++
		id := fmt.Sprint("hostile-", run)
		worker := populate(t, db, id)
		h := hostile[int(which)%len(hostile)]
		var value any = text
		if isNumber {
			value = number
		}
		where := map[string]string{
			"executions": "id = ?", "inputs": "n = (SELECT n FROM executions WHERE id = ?)", "tasks": "n = (SELECT n FROM executions WHERE id = ?)",
			"dead_letters": "execution_id = ?", "failures": "execution_id = ?", "signals": "n = (SELECT n FROM executions WHERE id = ?)",
			"counters": "n = (SELECT n FROM executions WHERE id = ?)", "custom_state": "n = (SELECT n FROM executions WHERE id = ?)", "workers": "id = ?",
		}[h.table]
		key := id
		if h.table == "workers" {
			key = worker
		}
		if _, err := other.ExecContext(ctx, "UPDATE "+h.table+" SET "+h.column+" = ? WHERE "+where, value, key); err != nil {
			t.Skip() // SQLite itself refuses it
		}
		defer func() {
			for _, table := range []string{"dead_letters", "failures", "signals", "counters", "custom_state", "tasks", "inputs", "executions", "workers"} {
				if _, err := other.ExecContext(ctx, "DELETE FROM "+table); err != nil {
					t.Fatal(err)
				}
			}
		}()
		_, _ = db.Execution(ctx, id)
		_, _ = db.Executions(ctx, backend.ExecutionFilter{})
		_, _ = db.Tasks(ctx, backend.TaskFilter{})
		_, _ = db.History(ctx, []string{id})
		_, _ = db.Progress(ctx, id)
		_, _ = db.DeadLetters(ctx, backend.DeadLetterFilter{})
		_, _ = db.DeadLetter(ctx, backend.TaskID{Execution: id, Seq: 1})
		_, _ = db.Stats(ctx)
		_, _ = db.Workers(ctx)
		_, _ = db.Expire(ctx)
		_, _ = db.Reap(ctx, 5)
		claim := &backend.Claim{Queues: []string{"default"}, Steps: []string{"wf", "act"}, Max: 10}
		_ = db.Commit(ctx, &backend.Batch{Worker: worker, Commands: []backend.Command{claim}})
	})
}

// populate makes an execution with a bit of everything, and a worker.
func populate(t *testing.T, db *sqlite.DB, id string) (worker string) {
	t.Helper()
	ctx := context.Background()
	worker = "w-" + id
	if _, err := db.Register(ctx, backend.Worker{ID: worker, Queues: []string{"default"}, State: backend.WorkerReady, Slots: 1}, time.Minute); err != nil {
		t.Fatal(err)
	}
	commit := func(commands ...backend.Command) {
		t.Helper()
		if err := db.Commit(ctx, &backend.Batch{Worker: worker, Commands: commands}); err != nil {
			t.Fatal(err)
		}
	}
	commit(&backend.Start{ID: id, Workflow: "wf", Queue: "default", Input: []byte("1"), Metadata: map[string]string{"a": "b"}, MaxDuration: time.Hour})
	claim := &backend.Claim{Queues: []string{"default"}, Steps: []string{"wf"}, Max: 1}
	commit(claim)
	commit(&backend.Turn{
		Execution: id, Token: claim.Tasks[0].Token,
		Added: []backend.Add{
			{Seq: 1, Key: "act#1", Kind: backend.Activity, Step: "act", Queue: "default", State: backend.Running},
			{Seq: 2, Key: "act#2", Kind: backend.Activity, Step: "act", Queue: "default", State: backend.Pending},
		},
		Effects: []backend.Effect{{Counter: "c", Delta: 1}, {Custom: "s", Value: []byte("1")}}, EffectsSeen: 2,
	})
	commit(&backend.Bury{Task: backend.TaskID{Execution: id, Seq: 1}, Token: 1, State: backend.Failed, Failure: backend.Failure{Message: "no"}, Reason: "no"},
		&backend.Signalled{Execution: id, ID: "s1", Name: "s", Payload: []byte("1")})
	return worker
}
