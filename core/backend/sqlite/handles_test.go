package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func TestTwentyHandlesMigrateOneFileAtOnce(t *testing.T) {
	path := newPath(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			db, err := sqlite.Open(context.Background(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var migrations int
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	err = raw(t, path).QueryRowContext(t.Context(), "SELECT count(*) FROM migrations").Scan(&migrations)
	if err != nil || migrations != len(files) {
		t.Errorf("%d migrations were applied, there are %d: %v", migrations, len(files), err)
	}
}

const (
	processes  = 4
	executions = 60 // of each process
)

func TestProcessesShareAFile(t *testing.T) {
	path := newPath(t)
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOneProcess$", "-test.count=1")
			cmd.Env = append(os.Environ(), "STENT_TEST_FILE="+path, "STENT_TEST_PROCESS="+strconv.Itoa(i))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	wg.Wait()
	db := open(t, path)
	stats, err := db.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if stats.Executions[backend.Completed] != processes*executions || len(stats.Executions) != 1 {
		t.Errorf("executions by state: %v", stats.Executions)
	}
	all, err := db.Executions(context.Background(), backend.ExecutionFilter{Limit: processes*executions + 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Token != 1 || e.Attempt != 1 || e.Crashes != 0 {
			t.Errorf("%s was claimed %d times, attempt %d, crashes %d", e.ID, e.Token, e.Attempt, e.Crashes)
		}
	}
}

// TestOneProcess is what each of the processes does: it begins executions and completes whatever it can claim, until
// all of all processes are completed.
func TestOneProcess(t *testing.T) {
	path, process := os.Getenv("STENT_TEST_FILE"), os.Getenv("STENT_TEST_PROCESS")
	if path == "" {
		t.Skip("only for TestProcessesShareAFile")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db := open(t, path)
	worker := "w" + process
	if _, err := db.Register(ctx, backend.Worker{ID: worker, State: backend.WorkerReady}, time.Minute); err != nil {
		t.Fatal(err)
	}
	for begun, completed := 0, int64(0); completed < processes*executions; {
		claim := &backend.Claim{Queues: []string{"default"}, Steps: []string{"wf"}, Max: 5}
		b := &backend.Batch{Worker: worker, Commands: []backend.Command{claim}}
		if begun < executions {
			b.Commands = append(b.Commands, &backend.Start{ID: fmt.Sprint(worker, "-", begun), Workflow: "wf", Queue: "default"})
			begun++
		}
		if err := db.Commit(ctx, b); err != nil {
			t.Fatal(err)
		}
		b = &backend.Batch{Worker: worker}
		for _, c := range claim.Tasks {
			b.Commands = append(b.Commands, &backend.Turn{Execution: c.ID.Execution, Token: c.Token, Close: &backend.Close{State: backend.Completed}})
		}
		if err := db.Commit(ctx, b); err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Commands {
			if err := c.(*backend.Turn).Err; err != nil {
				t.Fatal(err)
			}
		}
		stats, err := db.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		completed = stats.Executions[backend.Completed]
	}
	if err := db.Retire(ctx, worker); err != nil {
		t.Fatal(err)
	}
}

func TestTwoWorkersOfOneHandleWatchEachOther(t *testing.T) {
	db := open(t, newPath(t), sqlite.WatchInterval(time.Hour)) // so that only the handle itself can tell
	ctx, cancel := context.WithCancel(context.Background())
	told := make(chan struct{}, 100)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := db.Watch(ctx, "a", []string{"default"}, func(backend.News) { told <- struct{}{} }); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	defer cancel()
	wait := func(what string) {
		select {
		case <-told:
		case <-time.After(10 * time.Second):
			t.Fatal("the worker was not told", what)
		}
	}
	wait("that its watch has begun")
	commit := func(worker string) {
		err := db.Commit(ctx, &backend.Batch{Worker: worker, Commands: []backend.Command{&backend.Start{ID: worker, Workflow: "wf", Queue: "default"}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	commit("a")
	select {
	case <-told:
		t.Fatal("a worker is told of its own commit")
	case <-time.After(5 * time.Millisecond):
	}
	commit("b")
	wait("of the other's commit")
}
