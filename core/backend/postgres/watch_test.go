package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// watched is a Watch until the test ends.
type watched struct {
	testing.TB
	told chan struct{}
}

func watch(t testing.TB, db *postgres.DB, worker string, queues ...string) *watched {
	t.Helper()
	w := &watched{t, make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- db.Watch(ctx, worker, queues, func(backend.News) {
			select {
			case w.told <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	w.wait("that it has begun")
	return w
}

func (w *watched) wait(what string) {
	w.Helper()
	select {
	case <-w.told:
	case <-time.After(20 * time.Second):
		w.Fatalf("not told %s", what)
	}
}

// quiet makes sure that nothing was told before a later event is.
func (w *watched) quiet(what string, event func()) {
	w.Helper()
	select {
	case <-w.told:
		w.Errorf("told %s", what)
	default:
	}
	event()
	w.wait("of the event after " + what)
}

func TestWatchTellsWhatConcernsOneAndComesBack(t *testing.T) {
	m := newMill(t, pgtest.DSN(t))
	other := open(t, m.dsn)
	billing := watch(t, other, "", "billing")
	start := func(id, queue string) {
		s := newStart(id)
		s.Queue = queue
		m.commit(s)
	}
	start("a", "billing")
	billing.wait("of a task in its queue")
	start("b", "default")
	billing.quiet("of a task in another queue", func() { start("c", "billing") })

	m.finish(1, 0)
	billing.wait("of an end")

	execute(t, m.dsn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	billing.wait("that it may have missed something")
	start("d", "billing")
	billing.wait("of a task after the connection was lost")
}

func TestTheWorkerOfACommitIsNotTold(t *testing.T) {
	m := newMill(t, pgtest.DSN(t))
	mine := watch(t, m.db, "w", "default")
	m.commit(newStart("a"))
	mine.quiet("of its own commit", func() {
		if err := m.db.Commit(t.Context(), &backend.Batch{Commands: []backend.Command{newStart("b")}}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNotificationsAreMerged(t *testing.T) {
	m := newMill(t, pgtest.DSN(t))
	conn := connect(t, m.dsn)
	if _, err := conn.Exec(t.Context(), "LISTEN "+m.db.Channel()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	var starters sync.WaitGroup
	for range 6 { // at once, so that more is written than may be told even where each takes long
		starters.Go(func() {
			for range 50 {
				if err := m.db.Commit(t.Context(), &backend.Batch{Worker: "w", Commands: []backend.Command{newStart(newID())}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	starters.Wait()
	m.commit(func() backend.Command { s := newStart("last"); s.Queue = "last"; return s }())
	n := 0
	for {
		note, err := conn.WaitForNotification(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n++; postgres.NoteIsOf(note.Payload, "last") {
			break
		}
	}
	if limit := int(time.Since(begin)/(4*time.Millisecond)) + 6; n > limit {
		t.Errorf("%d notifications of 301 commits in %v, want at most %d", n, time.Since(begin), limit)
	}
}

func TestWithoutNotificationsNobodyWatches(t *testing.T) {
	db := open(t, pgtest.DSN(t), postgres.Notify(false))
	if err := db.Watch(t.Context(), "", nil, func(backend.News) {}); err == nil {
		t.Error("no error")
	}
}

func TestClosingEndsWatches(t *testing.T) {
	db, err := postgres.Open(t.Context(), pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	begun, done := make(chan struct{}, 10), make(chan error, 1)
	go func() { done <- db.Watch(context.Background(), "", nil, func(backend.News) { begun <- struct{}{} }) }()
	<-begun
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("the watch of a closed handle ended without an error")
	}
}

// A worker may let news of its queues wait, and must not let those of its own executions wait; and it claims faster where it
// is told where to.
func TestWatchTellsWhatTheNewsAre(t *testing.T) {
	t.Run("by notes that ride", func(t *testing.T) { watchTells(t, time.Hour) })
	t.Run("by notes that do not", func(t *testing.T) { watchTells(t, 0) })
}

func watchTells(t *testing.T, rideFor time.Duration) {
	m := newMill(t, pgtest.DSN(t))
	m.commit(newStart("held"))
	m.claim(1)
	other := open(t, m.dsn)
	other.RideFor(rideFor)
	if _, err := other.Register(t.Context(), backend.Worker{ID: "other", State: backend.WorkerReady}, time.Hour); err != nil {
		t.Fatal(err)
	}
	told := make(chan backend.News, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.db.Watch(ctx, "w", []string{"default"}, func(n backend.News) { told <- n }) }()
	next := func() backend.News {
		t.Helper()
		select {
		case n := <-told:
			return n
		case <-time.After(20 * time.Second):
			t.Fatal("not told")
			return backend.News{}
		}
	}
	if n := next(); !n.Woken || !n.Due || n.At != nil {
		t.Errorf("when the watch begins, it is not known what was missed, and told was %+v", n)
	}

	start := func(id string, change func(s *backend.Start)) *backend.Start {
		s := newStart(id)
		change(s)
		return s
	}
	tell := func(cmd backend.Command) {
		t.Helper()
		if err := other.Commit(t.Context(), &backend.Batch{Worker: "other", Commands: []backend.Command{cmd}}); err != nil {
			t.Fatal(err)
		}
	}
	tell(start("caller", func(s *backend.Start) { s.Claim = true }))
	call := &backend.Turn{Execution: "caller", Token: 1, Added: []backend.Add{{
		Seq: 1, Key: "charge", Kind: backend.Activity, Step: "charge", Queue: "default", State: backend.Pending, Priority: 3,
	}}}
	for _, news := range []struct {
		name       string
		cmd        backend.Command
		woken, due bool
		brings     string // by a claim from where it was told; "" where that was not told
	}{
		{"a start", newStart("started"), false, true, "started.0"},
		{"a start of a priority", start("prior", func(s *backend.Start) { s.Priority = 7 }), false, true, "prior.0"},
		{"a later start", start("later", func(s *backend.Start) { s.Delay = time.Hour }), false, true, ""},
		{"a start for some workers", start("tagged", func(s *backend.Start) { s.Tags = []string{"gpu"} }), false, true, ""},
		{"a signal", &backend.Signalled{Execution: "held", ID: "1", Name: "approved"}, true, false, ""},
		{"a call of an activity", call, false, true, "caller.1"},
	} {
		tell(news.cmd)
		n := next()
		if n.Woken != news.woken || n.Due != news.due || (n.At != nil) != (news.brings != "") {
			t.Errorf("after %s told was %+v", news.name, n)
		}
		if n.At == nil {
			continue
		}
		c := &backend.Claim{Queues: []string{"default"}, Steps: []string{"order_workflow", "charge"}, Max: 10, From: n.At}
		if m.commit(c); len(c.Tasks) != 1 || c.Tasks[0].ID.String() != news.brings {
			t.Errorf("after %s a claim from there brought %v", news.name, c.Tasks)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Who ends an activity need not look for work where its workflow is in another worker's hands, and has to where nobody has it.
func TestAnEndTellsWhetherTheWorkflowIsHeld(t *testing.T) {
	m := newMill(t, pgtest.DSN(t))
	for _, held := range []bool{true, false} {
		id := fmt.Sprint("held-", held)
		m.commit(newStart(id))
		token := m.claim(1)[0].Token
		turn := &backend.Turn{Execution: id, Token: token, Added: []backend.Add{{
			Seq: 1, Key: "charge", Kind: backend.Activity, Step: "charge_payment", Queue: "default", State: backend.Pending,
		}}}
		if !held {
			turn.Yield = &backend.Yield{WakeIn: -1}
		}
		m.commit(turn)
		end := &backend.Complete{Task: backend.TaskID{Execution: id, Seq: 1}, Token: m.claim(1)[0].Token}
		if m.commit(end); end.Err != nil || end.Held != held {
			t.Errorf("held is %t, %v; want %t", end.Held, end.Err, held)
		}
	}
}
