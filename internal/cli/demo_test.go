package cli

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/internal/cli/demo"
	"github.com/stentgo/stent/internal/pgtest"
)

// runDemo runs a demo in the current folder; the clock is the system's, since it is a program that works.
func runDemo(t *testing.T, args ...string) result {
	t.Helper()
	var out, errs strings.Builder
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: time.Now, program: "stent"}
	code := a.run(t.Context(), append([]string{"demo"}, args...))
	return result{out.String(), errs.String(), code}
}

// TestDemo runs the demo, and finds everything in the file that it promises: orders that were completed, retried,
// dead-lettered, and one that waits. Then it does what the demo says to do next, and runs it again.
func TestDemo(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("STENT_DB", "")
	got := runDemo(t, "--for", "4s", "--rate", "10")
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	left := lookAtDemo(t, demoFile)
	if left.completed == 0 || left.retried == 0 || left.declined == 0 || left.usedUp == 0 || left.waiting == 0 {
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
	again := runDemo(t, "--for", "2s", "--json", "--quiet")
	if again.code != exitOK || again.stderr != "" {
		t.Fatalf("exit code %d\n%s%s", again.code, again.stdout, again.stderr)
	}
	var report demo.Report
	if err := json.Unmarshal([]byte(again.stdout), &report); err != nil {
		t.Fatal(err)
	}
	after := lookAtDemo(t, demoFile)
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

// leftBehind is what a demo's file holds.
type leftBehind struct {
	completed, retried, declined, usedUp, waiting int
	states                                        map[string]backend.State
}

func lookAtDemo(t *testing.T, path string) leftBehind {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.MustExist())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	left := leftBehind{states: map[string]backend.State{}}
	executions, err := db.Executions(t.Context(), backend.ExecutionFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range executions {
		left.states[x.ID] = x.State
	}
	tasks, err := db.Tasks(t.Context(), backend.TaskFilter{})
	if err != nil {
		t.Fatal(err)
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
	letters, err := db.DeadLetters(t.Context(), backend.DeadLetterFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range letters {
		if d.Attempts == 1 {
			left.declined++
			continue
		}
		left.usedUp++
	}
	return left
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
	got := runDemo(t, "--for", "0.2s", "--quiet")
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
	got := runDemo(t, "--for", "3s", "--rate", "10", "--quiet", "--db", dsn)
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
