package cli

import (
	"context"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/cli/alertwatch"
)

func (a *app) alertsWatchCommand() *cobra.Command {
	var (
		address  string
		interval = durationFlag(15 * time.Second)
		flags    alertFlags
	)
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Evaluate alerts on the database, and post them to Alertmanager",
		Long: `Evaluate alerts on the database, without Prometheus, and post them to Alertmanager's API, version 2, until Ctrl-C.

Those that the database can tell: of each queue StentQueueGrowing, StentQueueStalled, StentQueueWithoutWorkers, StentTasksWaitLong and
StentDeadLettersPending, of each step StentDeadLettersGrowing and StentTaskPoisoned, of each worker StentWorkerWedged and
StentTasksTakenOver, StentExecutionsFailing of all workflows together, StentClockSkewed of this machine's clock, and
StentBackendErrors when the database does not answer. What it posts ends by itself when it is not posted again, so a watcher that
dies leaves no alert behind.

Two watchers may run for safety: Alertmanager takes the same alert of both for one.`,
		Example: `  stent alerts watch --alertmanager http://localhost:9093
  stent alerts watch --alertmanager http://localhost:9093 --interval 1m --dead-letters 100 --label team=shop`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := flags.options()
			if err != nil {
				return err
			}
			poster, err := alertwatch.NewPoster(address, http.DefaultClient)
			if err != nil {
				return usagef("--alertmanager %q: %w", redact(address), err)
			}
			if err := a.tell("The database is read every %s, and %s is told, until Ctrl-C.\n", &interval, redact(address)); err != nil {
				return err
			}
			return a.watchAlerts(cmd.Context(), time.Duration(interval), alertwatch.New(o, hostname()), poster)
		},
	}
	set := cmd.Flags()
	set.StringVar(&address, "alertmanager", "", "the `address` of Alertmanager, such as http://localhost:9093")
	set.Var(&interval, "interval", "how `often` to look")
	flags.windows(set)
	flags.thresholds(set)
	flags.identity(set)
	return cmd
}

// watchAlerts looks and posts until the context ends. Neither a database nor an Alertmanager that does not answer ends it:
// to tell of that is what it is for.
func (a *app) watchAlerts(ctx context.Context, interval time.Duration, evaluator *alertwatch.Evaluator, poster *alertwatch.Poster) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	told := map[string]bool{}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		at := a.now()
		reading, err := read(ctx, db, evaluator, interval)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			a.screen.printf("%s the database does not answer: %s\n", a.clock(at), message(err))
		}
		active := evaluator.Look(at, reading, err)
		a.tellChanges(at, active, told)
		if err := poster.Post(ctx, at, active, 4*interval+10*time.Second); err != nil && ctx.Err() == nil {
			a.screen.printf("%s %s\n", a.clock(at), message(err))
		}
		if err := a.screen.Flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// read gives up before the next look is due.
func read(ctx context.Context, db backend.Backend, evaluator *alertwatch.Evaluator, interval time.Duration) (alertwatch.Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, max(interval, time.Second))
	defer cancel()
	return evaluator.Read(ctx, db)
}

// hostname is whose clock is compared with the database's.
func hostname() string {
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "unknown"
}

// tellChanges prints what began to fire and what ended.
func (a *app) tellChanges(at time.Time, active []alertwatch.Active, told map[string]bool) {
	firing := map[string]bool{}
	for _, x := range active {
		name := strings.TrimSpace(x.Name + " " + x.Labels["queue"] + " " + x.Labels["step"] + x.Labels["instance"])
		firing[name] = x.Firing
		if x.Firing && !told[name] {
			a.screen.printf("%s firing    %s: %s\n", a.clock(at), x.Name, clean(x.Description))
		}
	}
	for name := range told {
		if told[name] && !firing[name] {
			a.screen.printf("%s resolved  %s\n", a.clock(at), name)
		}
	}
	clear(told)
	maps.Copy(told, firing)
}

func (a *app) clock(t time.Time) string { return t.In(a.screen.zone).Format("15:04:05") }
