package sqlite_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// bench is a file with one worker.
type bench struct {
	testing.TB
	db *sqlite.DB
}

func newBench(b testing.TB, opts ...sqlite.Option) *bench {
	db, err := sqlite.Open(context.Background(), b.TempDir()+"/stent.db", opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if _, err := db.Register(context.Background(), backend.Worker{ID: "w", State: backend.WorkerReady}, time.Hour); err != nil {
		b.Fatal(err)
	}
	return &bench{b, db}
}

func (b *bench) commit(commands ...backend.Command) {
	if err := b.db.Commit(context.Background(), &backend.Batch{Worker: "w", Commands: commands}); err != nil {
		b.Fatal(err)
	}
	for _, c := range commands {
		if t, ok := c.(*backend.Turn); ok && t.Err != nil {
			b.Fatal(t.Err)
		}
	}
}

// claim claims everything that is due.
func (b *bench) claim(most int) []backend.Claimed {
	c := &backend.Claim{Queues: []string{"default"}, Steps: []string{"wf", "act"}, Max: most}
	b.commit(c)
	return c.Tasks
}

func start(id string) *backend.Start {
	return &backend.Start{
		ID: id, Workflow: "order_workflow", Queue: "default", Policy: []byte(`{"max_attempts":1}`), Input: []byte(`{"id":"42","total":12.5}`),
		InputHash: 42, Carrier: map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
}

func running(seq int) backend.Add {
	return backend.Add{
		Seq: seq, Key: fmt.Sprint("charge_payment#", seq), Kind: backend.Activity, Step: "charge_payment", Queue: "default", State: backend.Running,
		Policy: []byte(`{"max_attempts":3,"initial":"1s"}`), Input: []byte(`{"id":"42","total":12.5}`), InputHash: 42,
	}
}

// BenchmarkWorkflows runs workflows of 5 activities, 100 in flight, as the engine does: one commit a step for all.
func BenchmarkWorkflows(b *testing.B) {
	for _, sync := range []sqlite.Sync{sqlite.Full, sqlite.Normal} {
		b.Run(string(sync), func(b *testing.B) {
			x := newBench(b, sqlite.Synchronous(sync))
			for i := 0; b.Loop(); i++ {
				x.workflows(fmt.Sprint("round-", i, "-"), 100)
			}
			b.ReportMetric(float64(b.N*100)/b.Elapsed().Seconds(), "workflows/s")
		})
	}
}

func (b *bench) workflows(prefix string, n int) {
	commands := make([]backend.Command, n)
	for i := range commands {
		commands[i] = start(fmt.Sprint(prefix, i))
	}
	claim := &backend.Claim{Queues: []string{"default"}, Steps: []string{"order_workflow"}, Max: n}
	b.commit(slices.Concat(commands, []backend.Command{claim})...)
	if len(claim.Tasks) != n {
		b.Fatalf("claimed %d of %d", len(claim.Tasks), n)
	}
	for seq := 1; seq <= 6; seq++ {
		for i, t := range claim.Tasks {
			turn := &backend.Turn{Execution: t.ID.Execution, Token: t.Token}
			if seq > 1 {
				turn.Completed = []*backend.Complete{{Task: backend.TaskID{Execution: t.ID.Execution, Seq: seq - 1}, Token: 1, Result: []byte(`{"ok":true}`)}}
			}
			if seq <= 5 {
				turn.Added = []backend.Add{running(seq)}
			} else {
				turn.Close = &backend.Close{State: backend.Completed, Result: []byte(`{"ok":true}`)}
			}
			commands[i] = turn
		}
		b.commit(commands...)
	}
}

func BenchmarkStart(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := newBench(b)
			commands := make([]backend.Command, n)
			for i := 0; b.Loop(); i++ {
				for j := range commands {
					commands[j] = start(fmt.Sprint("e-", i, "-", j))
				}
				x.commit(commands...)
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "starts/s")
		})
	}
}

// BenchmarkClaim claims one task and gives it back, with many others in the tables.
func BenchmarkClaim(b *testing.B) {
	const many = 20_000
	for name, fill := range map[string]func(s *backend.Start){
		"empty":    nil,
		"sleeping": func(s *backend.Start) { s.Delay = time.Hour },
		"strange":  func(s *backend.Start) { s.Workflow = "strange" },
		"tagged":   func(s *backend.Start) { s.Tags = []string{"gpu"} },
		"due":      func(s *backend.Start) { s.Workflow = "wf" },
	} {
		b.Run(name, func(b *testing.B) {
			x := newBench(b, sqlite.Synchronous(sqlite.Normal))
			if fill != nil {
				x.fill(many, fill)
			}
			first := start("first")
			first.Workflow, first.Priority = "wf", 1
			x.commit(first)
			for b.Loop() {
				t := x.claim(1)[0]
				x.commit(&backend.Release{Task: t.ID, Token: t.Token})
			}
		})
	}
	b.Run("finished", func(b *testing.B) {
		x := newBench(b, sqlite.Synchronous(sqlite.Normal))
		for i := range many / 1000 {
			x.workflows(fmt.Sprint("f", i, "-"), 1000)
		}
		first := start("first")
		first.Workflow = "wf"
		x.commit(first)
		for b.Loop() {
			t := x.claim(1)[0]
			x.commit(&backend.Release{Task: t.ID, Token: t.Token})
		}
	})
}

func (b *bench) fill(n int, change func(s *backend.Start)) {
	var commands []backend.Command
	for i := range n {
		s := start(fmt.Sprint("fill-", i))
		change(s)
		commands = append(commands, s)
	}
	b.commit(commands...)
}
