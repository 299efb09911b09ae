package sqlite_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// TestAnEngineWaitsOutWhatBefallsItsFile has the file become full, or read-only, under a worker, by means that work for every
// user; outages_test.go at the root has such stories with real disks. Starts are refused with what is wrong, what was
// accepted is done once when the cause is gone, and nobody has to restart anything.
func TestAnEngineWaitsOutWhatBefallsItsFile(t *testing.T) {
	for _, c := range []struct {
		name         string
		strike, heal func(db *sqlite.DB) error
		fault        backend.Fault
		says         string
	}{
		{
			name: "full", fault: backend.FaultDiskFull,
			says:   "is full: free some space, the engine goes on by itself (database or disk is full (13))",
			strike: func(db *sqlite.DB) error { return db.LimitPages(0) },
			heal:   func(db *sqlite.DB) error { return db.LimitPages(100_000) },
		}, {
			name: "read-only", fault: backend.FaultReadOnly,
			says: "is read-only: make the file and its folder writable for this user, the engine goes on by itself " +
				"(attempt to write a readonly database (8))",
			strike: func(db *sqlite.DB) error { return db.TakeNoWrites(true) },
			heal:   func(db *sqlite.DB) error { return db.TakeNoWrites(false) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSick(t)
			for i := range sickExecutions {
				_, err := s.orders.Start(t.Context(), s.engine, nil, core.ID(fmt.Sprint("before-", i)))
				must(t, err)
			}
			s.eventually("all are in the middle", func() bool { return len(s.entered) == sickExecutions })
			must(t, c.strike(s.db))
			close(s.gate)

			s.eventually("who starts an execution is told", func() bool {
				_, err := s.orders.Start(t.Context(), s.engine, noise(1<<18), core.ID("during"))
				says(t, err, "start order_workflow as during: sqlite: commit ", s.db.Path(), c.says)
				return backend.FaultOf(err) == c.fault
			})
			s.eventually("the worker is told", func() bool { return s.failed(c.fault) > 3 })
			must(t, c.heal(s.db))

			for i := range sickExecutions {
				n, err := s.orders.Attach(s.engine, fmt.Sprint("before-", i)).Wait(t.Context())
				if err != nil || n != 2 {
					t.Errorf("before-%d: %d, %v", i, n, err)
				}
			}
			_, err := s.orders.Start(t.Context(), s.engine, noise(1<<18), core.ID("after"))
			must(t, err)
			s.mu.Lock()
			for task, ran := range s.ran {
				if ran != 1 {
					t.Errorf("%s ran %d times", task, ran)
				}
			}
			s.mu.Unlock()
			if lines := s.lines("level=ERROR"); len(lines) != 1 || !strings.Contains(lines[0], c.says) {
				t.Errorf("the log has %d lines of it: %s", len(lines), lines)
			}
			var verdict string
			if err := raw(t, s.db.Path()).QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
				t.Errorf("the file is damaged: %s, %v", verdict, err)
			}
		})
	}
}

const sickExecutions = 10

// sick is an engine with a worker on a file that something befalls.
type sick struct {
	core.NopRecorder
	t       *testing.T
	db      *sqlite.DB
	engine  *core.Engine
	orders  *core.Workflow[[]byte, int]
	entered chan struct{}
	gate    chan struct{}

	mu     sync.Mutex
	ran    map[string]int // by task
	faults map[backend.Fault]int
	log    bytes.Buffer
}

func newSick(t *testing.T) *sick {
	charge := core.NewActivity[int, []byte]("charge_payment")
	s := &sick{
		t: t, db: open(t, newPath(t), sqlite.BusyTimeout(time.Second)), orders: core.NewWorkflow[[]byte, int]("order_workflow"),
		entered: make(chan struct{}, 2*sickExecutions), gate: make(chan struct{}), ran: map[string]int{}, faults: map[backend.Fault]int{},
	}
	var err error
	s.engine, err = core.New(s.db, core.WithMetrics(s), core.WithSampleInterval(-1), core.WithLogger(slog.New(slog.NewTextHandler(s, nil))))
	must(t, err)
	must(t, s.engine.Register(
		charge.Handle(func(ctx context.Context, _ int) ([]byte, error) {
			info, _ := core.InfoFrom(ctx)
			s.mu.Lock()
			s.ran[info.TaskID]++
			s.mu.Unlock()
			s.entered <- struct{}{}
			<-s.gate
			return noise(20_000), nil
		}),
		s.orders.Handle(func(flow *core.Flow, _ []byte) (n int, err error) {
			for ; n < 2 && err == nil; n++ {
				_, err = charge.Call(flow, n)
			}
			return n, err
		}),
	))
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.engine.Serve(ctx, core.WorkerConfig{Lease: time.Minute}) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// noise cannot be compressed, so that it takes its room.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func (s *sick) BackendFailed(_ context.Context, e core.BackendFailed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[e.Fault]++
}

func (s *sick) failed(f backend.Fault) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[f]
}

// Write is for the log.
func (s *sick) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(line)
}

func (s *sick) lines(part string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, part) {
			found = append(found, line)
		}
	}
	return found
}

func (s *sick) eventually(what string, holds func() bool) {
	s.t.Helper()
	late := time.After(time.Minute)
	for !holds() {
		select {
		case <-late:
			s.t.Fatalf("did not happen: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
