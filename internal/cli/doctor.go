package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core/backend"
)

// What doctor takes for granted. Above these something is worth a look; they are not exact, and need not be.
const (
	clockSkewLimit   = 2 * time.Second
	waitLimit        = 5 * time.Minute
	transactionLimit = 15 * time.Minute
	deadTupleLimit   = 1_000_000
	walLimit         = 256 << 20
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Examine the database and say what is wrong and what helps",
		Long: `Examine the database and everything that works on it, and say what is wrong and what helps:

  schema        is it this program's
  clock         how far this machine's clock is from the database's
  workers       those that stopped renewing their leases, and what they still hold
  fencing       processes that went on after their worker was declared dead: what they wrote then was refused
  queues        tasks that no worker will take: none serves the queue, or it is paused; tasks that wait for long
  schedules     those that should have ticked, cannot tick, or begin what no worker takes
  dead letters  tasks that will not be tried again by themselves
  database      dead rows, long transactions (PostgreSQL), a write-ahead log that grows (SQLite)

The exit code is 1 if anything is a problem, and 0 if there are only warnings or nothing. It changes nothing. It looks
back a day for workers that died; each write that fencing refused is counted by the metric stent_fenced_writes_total.`,
		Example: `  stent doctor
  stent doctor --json | jq '.findings[] | select(.level == "problem")'`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

// finding is one thing that was looked at.
type finding struct {
	Check   string `json:"check"`
	Level   level  `json:"level"`
	Text    string `json:"text"`
	Remedy  string `json:"remedy"`  // "" where all is well
	Command string `json:"command"` // to type, "" if none helps
}

type level string

const (
	fine    level = "ok"
	warning level = "warning"
	problem level = "problem"
)

// doctorShape is `stent doctor --json`.
type doctorShape struct {
	Healthy  bool      `json:"healthy"` // no finding is a problem
	Findings []finding `json:"findings"`
}

// errUnwell ends a doctor that found a problem, for its exit code: what there is to say has been said.
var errUnwell = errors.New("unwell")

func (a *app) doctor(ctx context.Context) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	findings, err := a.examine(ctx, db)
	if err != nil {
		return err
	}
	healthy := !slices.ContainsFunc(findings, func(f finding) bool { return f.Level == problem })
	if a.json {
		err = a.printJSON(doctorShape{healthy, findings})
	} else {
		a.screen.findings(findings, a.program)
	}
	if err == nil && !healthy {
		return errUnwell
	}
	return err
}

func (s *screen) findings(findings []finding, program string) {
	marks := map[level]string{fine: s.paint(green, "ok"), warning: s.paint(yellow, "warning"), problem: s.paint(red, "problem")}
	for _, f := range findings {
		pad := strings.Repeat(" ", len(problem)-len(f.Level))
		s.printf("%s%s  %-12s  %s\n", marks[f.Level], pad, f.Check, clean(f.Text))
		if f.Remedy != "" {
			s.printf("%23s%s\n", "", clean(f.Remedy))
		}
		if f.Command != "" {
			s.printf("%23s%s\n", "", s.paint(cyan, program+" "+clean(f.Command)))
		}
	}
}

// examine looks at everything; a finding for each thing that is wrong, and one for each kind of thing where all is well.
func (a *app) examine(ctx context.Context, db backend.Backend) ([]finding, error) {
	before := a.now()
	stats, err := db.Stats(ctx)
	if err != nil {
		return nil, err
	}
	skew := before.Add(a.now().Sub(before) / 2).Sub(stats.Now)
	workers, err := db.Workers(ctx)
	if err != nil {
		return nil, err
	}
	findings := []finding{{Check: "schema", Level: fine, Text: "it is this program's"}, examineClock(skew)}
	silent, err := examineWorkers(ctx, db, stats.Now, workers)
	if err != nil {
		return nil, err
	}
	findings = append(findings, silent...)
	findings = append(findings, examineFencing(stats.Now, workers))
	findings = append(findings, examineQueues(stats)...)
	schedules, err := examineSchedules(ctx, db, stats.Now, workers)
	if err != nil {
		return nil, err
	}
	findings = append(findings, schedules...)
	findings = append(findings, examineLetters(stats))
	database, err := examineDatabase(ctx, db)
	return append(findings, database...), err
}

func examineClock(skew time.Duration) finding {
	side := "ahead of"
	if skew < 0 {
		side = "behind"
	}
	text := fmt.Sprintf("this machine is %s %s the database", skew.Abs().Round(time.Millisecond), side)
	if skew.Abs() > clockSkewLimit {
		return finding{"clock", warning, text, "Stent goes by the database's clock alone, but logs and metrics of this machine tell other times: look at its NTP", ""}
	}
	return finding{"clock", fine, text, "", ""}
}

func examineWorkers(ctx context.Context, db backend.Backend, now time.Time, workers []backend.Worker) ([]finding, error) {
	var (
		findings []finding
		live     int
	)
	for _, w := range workers {
		switch {
		case w.State == backend.WorkerStopped || w.State == backend.WorkerDead:
		case w.LeaseEnd.After(now):
			live++
		default:
			held, err := db.Held(ctx, w.ID)
			if err != nil {
				return nil, err
			}
			findings = append(findings, finding{
				"workers", warning, fmt.Sprintf("%s stopped renewing; its lease ended %s ago, and it holds %d tasks", w.ID, age(now.Sub(w.LeaseEnd)), len(held)),
				"any live worker takes them over", "stats",
			})
		}
	}
	if live == 0 {
		for i := range findings {
			findings[i].Level, findings[i].Remedy = problem, "no worker is alive to take over: start one"
		}
	}
	if len(findings) == 0 {
		findings = append(findings, finding{"workers", fine, fmt.Sprintf("%d alive, none silent", live), "", ""})
	}
	return findings, nil
}

func examineQueues(stats backend.Stats) []finding {
	var findings []finding
	for _, q := range stats.Queues {
		waits := stats.Now.Sub(q.OldestDue)
		switch {
		case q.Depth == 0:
		case q.Paused:
			findings = append(findings, finding{"queues", warning, fmt.Sprintf("%s is paused, and %d tasks are due in it", q.Queue, q.Depth), "", "queue resume " + quoted(q.Queue)})
		case q.Workers == 0:
			findings = append(findings, finding{"queues", problem, fmt.Sprintf("%d tasks are due in %s, and no live worker serves it", q.Depth, q.Queue),
				fmt.Sprintf("start a program whose WorkerConfig.Queues names %q", q.Queue), ""})
		case waits > waitLimit:
			findings = append(findings, finding{"queues", warning, fmt.Sprintf("%d tasks are due in %s, the oldest for %s, and %d workers serve it", q.Depth, q.Queue, age(waits), q.Workers),
				"more slots or workers; or the workers lack a handler or a tag: stent why tells for an execution", "tasks --state pending"})
		}
	}
	if len(findings) == 0 {
		findings = append(findings, finding{"queues", fine, fmt.Sprintf("%d known, none of them stuck", len(stats.Queues)), "", ""})
	}
	return findings
}

func examineLetters(stats backend.Stats) finding {
	var n int64
	for _, q := range stats.Queues {
		n += q.Dead
	}
	if n == 0 {
		return finding{"dead letters", fine, "none", "", ""}
	}
	return finding{"dead letters", warning, fmt.Sprintf("%d tasks will not be tried again by themselves", n), "", "dlq list"}
}

func examineDatabase(ctx context.Context, db backend.Backend) ([]finding, error) {
	d, ok := db.(backend.Diagnoser)
	if !ok {
		return nil, nil
	}
	stats, err := d.Diagnose(ctx)
	if err != nil {
		return nil, err
	}
	var findings []finding
	if stats.DeadTuples > deadTupleLimit {
		findings = append(findings, finding{"database", warning, fmt.Sprintf("%d dead rows wait for vacuum", stats.DeadTuples),
			"see that autovacuum runs and that nothing holds it up; VACUUM on the schema's tables helps now", ""})
	}
	if stats.OldestTransaction > transactionLimit {
		findings = append(findings, finding{"database", warning, fmt.Sprintf("a transaction has been open for %s and keeps vacuum from its work", age(stats.OldestTransaction)),
			"SELECT pid, usename, state, query FROM pg_stat_activity ORDER BY xact_start names it", ""})
	}
	if stats.WAL > walLimit {
		findings = append(findings, finding{"database", warning, fmt.Sprintf("the write-ahead log has %d MiB", stats.WAL>>20),
			"a reader that stays open keeps it from being reused: close it, or copy the file with a backup instead", ""})
	}
	if len(findings) == 0 {
		findings = append(findings, finding{"database", fine, fmt.Sprintf("%d MiB", max(stats.Size, 0)>>20), "", ""})
	}
	return findings, nil
}
