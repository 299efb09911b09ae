package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestACrashOfTheServer crashes and restarts the server under load. The writers do what the engine does: they commit the
// same batch again until its fate is known.
func TestACrashOfTheServer(t *testing.T) {
	server := pgtest.NewServer(t)
	m := newMill(t, server.Database(t))
	told := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	watching := make(chan error, 1)
	go func() {
		watching <- open(t, m.dsn).Watch(ctx, "", nil, func(backend.News) {
			select {
			case told <- struct{}{}:
			default:
			}
		})
	}()
	<-told

	var (
		wg     sync.WaitGroup
		faults atomic.Int64
		rounds atomic.Int64
		round  = make(chan struct{}, 1)
		stop   = make(chan struct{})
	)
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := m.through(fmt.Sprintf("x-%d-%d", i, n), &faults); err != nil {
					t.Error(err)
					return
				}
				rounds.Add(1)
				select {
				case round <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 2 {
		progress(t, round)
		if err := server.Crash(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := m.db.Commit(t.Context(), &backend.Batch{Commands: []backend.Command{newStart("down")}})
		if err == nil || !strings.HasPrefix(err.Error(), "postgres: commit 1 commands: ") {
			t.Errorf("a commit without a server: %v", err)
		}
		for len(told) > 0 {
			<-told
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-told // the watch has connected anew, or been told
		progress(t, round)
	}
	close(stop)
	wg.Wait()
	cancel()
	if err := <-watching; err != nil {
		t.Error(err)
	}

	t.Logf("%d executions, %d faults", rounds.Load(), faults.Load())
	stats, err := m.db.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := stats.Executions[backend.Completed]; got != rounds.Load() {
		t.Errorf("%d executions are completed, want %d: %v", got, rounds.Load(), stats.Executions)
	}
	if faults.Load() == 0 {
		t.Error("no commit met the crashes")
	}
}

// progress waits until a few more executions have ended.
func progress(t *testing.T, round <-chan struct{}) {
	t.Helper()
	late := time.After(time.Minute)
	for range 20 {
		select {
		case <-round:
		case <-late:
			t.Fatal("nothing goes on")
		}
	}
}

// through takes an execution with an activity from its start to its end.
func (m *mill) through(id string, faults *atomic.Int64) error {
	again := func(c backend.Command) {
		for {
			err := m.db.Commit(context.Background(), &backend.Batch{Worker: "w", Commands: []backend.Command{c}})
			if err == nil {
				return
			}
			faults.Add(1)
		}
	}
	s := newStart(id)
	s.Queue = id
	again(s)
	if s.Err != nil {
		return s.Err
	}
	var token int64
	for token == 0 {
		c := &backend.Claim{Queues: []string{id}, Steps: []string{"order_workflow"}, Max: 1}
		again(c)
		if len(c.Tasks) == 1 {
			token = c.Tasks[0].Token
			break
		}
		held, err := m.db.Held(context.Background(), "w") // of a claim whose answer was lost
		if err != nil {
			continue
		}
		for _, h := range held {
			if h.ID.Execution == id {
				token = h.Token
			}
		}
	}
	act := backend.Add{Seq: 1, Key: "a#1", Kind: backend.Activity, Step: "a", Queue: id, State: backend.Running}
	for _, turn := range []*backend.Turn{
		{Added: []backend.Add{act}, Effects: []backend.Effect{{Counter: "n", Delta: 1}}, EffectsSeen: 1},
		{Completed: []*backend.Complete{{Task: backend.TaskID{Execution: id, Seq: 1}, Token: 1}}, Close: &backend.Close{State: backend.Completed}},
	} {
		turn.Execution, turn.Token = id, token
		again(turn)
		if turn.Err != nil {
			return fmt.Errorf("%s: %w", id, turn.Err)
		}
	}
	p, err := m.db.Progress(context.Background(), id)
	for ; err != nil; p, err = m.db.Progress(context.Background(), id) {
		if errors.Is(err, backend.ErrNotFound) {
			return err
		}
	}
	if len(p.Counters) != 1 || p.Counters[0].Value != 1 {
		return fmt.Errorf("%s: counters are %v", id, p.Counters)
	}
	return nil
}
