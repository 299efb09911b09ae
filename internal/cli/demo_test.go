package cli

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/internal/cli/demo"
	"github.com/stentgo/stent/internal/pgtest"
)

// runDemo runs a demo in the current folder; the clock is the system's, since it is a program that works.
func runDemo(ctx context.Context, args ...string) result {
	var out, errs strings.Builder
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: time.Now, program: "stent"}
	code := a.run(ctx, append([]string{"demo"}, args...))
	return result{out.String(), errs.String(), code}
}

// runDemoUntil runs a demo on a database until what is there is enough, and interrupts it then.
func runDemoUntil(t *testing.T, dsn string, enough func(leftBehind) bool, args ...string) result {
	t.Helper()
	ctx, interrupt := context.WithTimeout(t.Context(), time.Minute)
	defer interrupt()
	var looking sync.WaitGroup
	looking.Go(func() {
		for every := time.NewTicker(100 * time.Millisecond); ctx.Err() == nil; {
			select {
			case <-every.C:
				if left, err := lookAtDemo(ctx, dsn); err == nil && enough(left) { // an error where there is no database yet
					interrupt()
				}
			case <-ctx.Done():
			}
		}
	})
	defer looking.Wait()
	defer interrupt()
	return runDemo(ctx, args...)
}

// TestDemo runs the demo, and finds everything in the file that it promises: orders that were completed, retried,
// dead-lettered, and one that waits. Then it does what the demo says to do next, and runs it again.
func TestDemo(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("STENT_DB", "")
	someOfEach := func(l leftBehind) bool {
		return l.completed > 0 && l.retried > 0 && l.declined > 0 && l.usedUp > 0 && l.waiting > 0
	}
	got := runDemoUntil(t, demoFile, someOfEach, "--rate", "10")
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	left, err := lookAtDemo(t.Context(), demoFile)
	if err != nil {
		t.Fatal(err)
	}
	if !someOfEach(left) {
		t.Errorf("the demo left %+v, want some of each", left)
	}
	if !metricsURL.MatchString(got.stdout) {
		t.Errorf("it does not say where its metrics are:\n%s", got.stdout)
	}
	for _, field := range []string{"stent_execution_id=order-", "stent_task_id=order-", "stent_worker_id=demo-"} {
		if !strings.Contains(got.stderr, field) {
			t.Errorf("no %s in the log", field)
		}
	}

	// What it says to type next works as it stands.
	commands := regexp.MustCompile(`(?m)^  stent (.*)$`).FindAllStringSubmatch(got.stdout, -1)
	if len(commands) != 6 {
		t.Fatalf("it suggests %d commands:\n%s", len(commands), got.stdout)
	}
	var mended []string
	for _, c := range commands {
		args := words(c[1])
		if args[0] == "demo" {
			continue
		}
		if next := stent(t.Context(), newClock(), args...); next.code != exitOK {
			t.Errorf("stent %s: exit code %d, %s", c[1], next.code, next.stderr)
		}
		switch {
		case args[0] == "signal":
			mended = append(mended, args[1])
		case args[0] == "dlq" && args[1] == "replay":
			mended = append(mended, strings.TrimSuffix(args[2], ".2"))
		}
	}

	// The replayed and the approved order go on in the next demo, whose first large order waits in turn.
	done := func(l leftBehind) bool {
		return len(l.states) > len(left.states) && !slices.ContainsFunc(mended, func(id string) bool { return l.states[id] != backend.Completed })
	}
	again := runDemoUntil(t, demoFile, done, "--json", "--quiet")
	if again.code != exitOK || again.stderr != "" {
		t.Fatalf("exit code %d\n%s%s", again.code, again.stdout, again.stderr)
	}
	var report demo.Report
	if err := json.Unmarshal([]byte(again.stdout), &report); err != nil {
		t.Fatal(err)
	}
	after, err := lookAtDemo(t.Context(), demoFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(mended) != 2 {
		t.Errorf("mended %q, want a signalled and a replayed order", mended)
	}
	for _, id := range mended {
		if after.states[id] != backend.Completed {
			t.Errorf("after the next demo, %s is %s, want completed", id, after.states[id])
		}
	}
	if len(after.states) <= len(left.states) {
		t.Errorf("the second demo made no orders: %d after %d", len(after.states), len(left.states))
	}
}

// leftBehind is what a demo's database holds.
type leftBehind struct {
	completed, retried, declined, waiting int
	usedUp                                int // their executions have failed, so that a replay goes on with them
	states                                map[string]backend.State
}

func lookAtDemo(ctx context.Context, dsn string) (left leftBehind, err error) {
	var db backend.Backend
	if strings.HasPrefix(dsn, "postgres") {
		db, err = postgres.Open(ctx, dsn, postgres.NoMigrate())
	} else {
		db, err = sqlite.Open(ctx, dsn, sqlite.MustExist(), sqlite.NoMigrate())
	}
	if err != nil {
		return left, err
	}
	defer db.Close()
	left.states = map[string]backend.State{}
	executions, err := db.Executions(ctx, backend.ExecutionFilter{Limit: 1000})
	if err != nil {
		return left, err
	}
	for _, x := range executions {
		left.states[x.ID] = x.State
	}
	tasks, err := db.Tasks(ctx, backend.TaskFilter{})
	if err != nil {
		return left, err
	}
	for _, task := range tasks {
		switch {
		case task.Kind == backend.Orchestrator && task.State == backend.Completed:
			left.completed++
		case task.Step == "charge_payment" && task.State == backend.Completed && task.Attempt > 1:
			left.retried++
		case task.Kind == backend.SignalWait && task.State == backend.Waiting:
			left.waiting++
		}
	}
	letters, err := db.DeadLetters(ctx, backend.DeadLetterFilter{})
	if err != nil {
		return left, err
	}
	for _, d := range letters {
		switch {
		case d.Attempts == 1:
			left.declined++
		case left.states[d.Task.Execution] == backend.Failed:
			left.usedUp++
		}
	}
	return left, nil
}

// words splits a command as a shell does that knows only single quotes.
func words(command string) []string {
	var list []string
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			list = append(list, part)
		} else {
			list = append(list, strings.Fields(part)...)
		}
	}
	return list
}

// TestDemoEndsQuietlyOnAClosedPipe: `stent demo | head` stops the shop when head has seen enough.
func TestDemoEndsQuietlyOnAClosedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "demo.sqlite")
	var errs strings.Builder
	a := &app{stdin: strings.NewReader(""), stdout: closedPipe{}, stderr: &errs, now: time.Now, program: "stent"}
	if code := a.run(t.Context(), []string{"demo", "--quiet", "--db", path}); code != exitOK || errs.Len() > 0 {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// TestDemoIgnoresEnvironment: no demo gets into the database of STENT_DB by accident, and what it says to type next
// names its own.
func TestDemoIgnoresEnvironment(t *testing.T) {
	h := newHistory(t, testBackends[0])
	t.Chdir(t.TempDir())
	t.Setenv("STENT_DB", h.dsn)
	got := runDemo(t.Context(), "--for", "0.2s", "--quiet")
	if got.code != exitOK || !strings.Contains(got.stdout, "stent --db "+demoFile+" list") {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := h.run("list"); got.stdout != "No executions.\n" {
		t.Errorf("in STENT_DB there are\n%s", got.stdout)
	}
}

// TestDemoOnPostgres: the demo works on a server, too, and never prints its address with the password.
func TestDemoOnPostgres(t *testing.T) {
	dsn := pgtest.DSN(t)
	some := func(l leftBehind) bool {
		return l.completed > 0 && slices.Contains(slices.Collect(maps.Values(l.states)), backend.Failed)
	}
	got := runDemoUntil(t, dsn, some, "--rate", "10", "--quiet", "--db", dsn)
	if got.code != exitOK || strings.Contains(got.stdout, dsn) || !strings.Contains(got.stdout, "(with --db as for this demo)") {
		t.Fatalf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	stats := stent(t.Context(), newClock(), "--db", dsn, "stats", "--json")
	var shape statsShape
	if err := json.Unmarshal([]byte(stats.stdout), &shape); err != nil {
		t.Fatalf("%v: %s", err, stats.stderr)
	}
	if shape.Executions[backend.Completed] == 0 || shape.Executions[backend.Failed] == 0 {
		t.Errorf("the demo left %v", shape.Executions)
	}
}

func TestQuoted(t *testing.T) {
	for path, want := range map[string]string{
		"stent-demo.sqlite": "stent-demo.sqlite", "/a b/c": "'/a b/c'", "it's": `'it'\''s'`, "$HOME": "'$HOME'",
	} {
		if got := quoted(path); got != want {
			t.Errorf("quoted(%s) is %s, want %s", path, got, want)
		}
	}
}
