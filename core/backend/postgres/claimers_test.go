package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// claimersDSN makes this test binary a process with four claimers.
const claimersDSN = "STENT_TEST_CLAIMERS"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(claimersDSN); dsn != "" {
		if err := claimers(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	postgres.WarmFor(time.Minute) // whatever the machine does meanwhile
	os.Exit(m.Run())
}

// The limit of the activity "limited" on all workers together.
const limited, most = "limited", 3

// TestSixteenClaimersInFourProcesses has 20,000 tasks claimed, a few of them of an activity with a limit: none is lost,
// none is claimed twice, and the limit is never exceeded, while the others flow past.
func TestSixteenClaimersInFourProcesses(t *testing.T) {
	const executions, activities = 19_700, 300
	m := newMill(t, pgtest.DSN(t))
	execute(t, m.dsn, "CREATE UNLOGGED TABLE observed (task text PRIMARY KEY); CREATE UNLOGGED TABLE excess (n int)")
	m.commit(newStart("parent"))
	parent := m.claim(1)[0]
	turn := &backend.Turn{Execution: "parent", Token: parent.Token}
	for i := range activities { // before all others
		turn.Added = append(turn.Added, backend.Add{
			Seq: i + 1, Key: fmt.Sprint("limited#", i+1), Kind: backend.Activity, Step: limited, Queue: "default", Priority: 1, State: backend.Pending,
		})
	}
	m.commit(turn)
	for range executions / 1970 {
		m.fill1970()
	}

	claimed := map[string]int{}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	for range 4 {
		wg.Go(func() {
			lines, err := claimersProcess(t.Context(), m.dsn)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, l := range lines {
				claimed[l]++
			}
		})
	}
	wg.Wait()
	if len(claimed) != executions+activities {
		t.Errorf("%d tasks were claimed, want %d", len(claimed), executions+activities)
	}
	for task, n := range claimed {
		if n != 1 {
			t.Errorf("%s was claimed %d times", task, n)
		}
	}
	var excess, left int
	query(t, m.dsn, &excess, "SELECT coalesce(max(n), 0) FROM excess")
	query(t, m.dsn, &left, "SELECT count(*) FROM stent.executions WHERE finished_at IS NULL")
	if excess > 0 {
		t.Errorf("%d of an activity ran at once, want at most %d", excess, most)
	}
	if left != 1 {
		t.Errorf("%d executions are not finished, want the parent alone", left)
	}
}

func (m *mill) fill1970() {
	commands := make([]backend.Command, 1970)
	for i := range commands {
		commands[i] = newStart(newID())
	}
	m.commit(commands...)
}

// claimersProcess runs a process with four claimers and gives what they claimed.
func claimersProcess(ctx context.Context, dsn string) (lines []string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), claimersDSN+"="+dsn)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines, nil
}

// claimers is the process: each claimer goes on until nothing is due.
func claimers(dsn string) error {
	ctx := context.Background()
	db, err := postgres.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	var (
		wg     sync.WaitGroup
		out    = bufio.NewWriter(os.Stdout)
		mu     sync.Mutex
		errs   = make(chan error, 4)
		report = func(c *backend.Claim) {
			mu.Lock()
			defer mu.Unlock()
			for _, t := range c.Tasks {
				_, _ = fmt.Fprintln(out, t.ID)
			}
		}
	)
	for i := range 4 {
		wg.Go(func() { errs <- claimer(ctx, db, dsn, fmt.Sprintf("%d-%d", os.Getpid(), i), report) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

func claimer(ctx context.Context, db *postgres.DB, dsn, id string, report func(*backend.Claim)) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := db.Register(ctx, backend.Worker{ID: id, State: backend.WorkerReady}, time.Hour); err != nil {
		return err
	}
	var ends []backend.Command
	for {
		c := &backend.Claim{Queues: []string{"default"}, Steps: []string{"order_workflow", limited}, Limits: map[string]int{limited: most}, Max: 20}
		if err := db.Commit(ctx, &backend.Batch{Worker: id, Commands: append(ends, c)}); err != nil {
			return err
		}
		for _, end := range ends {
			if turn, ok := end.(*backend.Turn); ok && turn.Err != nil {
				return turn.Err
			}
			if done, ok := end.(*backend.Complete); ok && done.Err != nil {
				return done.Err
			}
		}
		report(c)
		ends = nil
		for _, t := range c.Tasks {
			if t.Kind == backend.Orchestrator {
				ends = append(ends, &backend.Turn{Execution: t.ID.Execution, Token: t.Token, Close: &backend.Close{State: backend.Completed}})
				continue
			}
			if err := observe(ctx, conn, t.ID.String()); err != nil {
				return err
			}
			ends = append(ends, &backend.Complete{Task: t.ID, Token: t.Token})
		}
		if len(c.Tasks) == 0 && !c.More {
			var due bool
			if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM stent.executions WHERE due_at IS NOT NULL) OR EXISTS (SELECT FROM stent.tasks WHERE due_at IS NOT NULL)").Scan(&due); err != nil || !due {
				return err
			}
		}
	}
}

// observe is what a limited activity does: it is there for a moment, and looks how many are.
func observe(ctx context.Context, conn *pgx.Conn, task string) error {
	for _, sql := range []string{
		"INSERT INTO observed (task) VALUES ($1)",
		fmt.Sprintf("INSERT INTO excess SELECT count(*) FROM observed WHERE $1::text IS NOT NULL HAVING count(*) > %d", most),
		"DELETE FROM observed WHERE task = $1",
	} {
		if _, err := conn.Exec(ctx, sql, task); err != nil {
			return err
		}
	}
	return nil
}
