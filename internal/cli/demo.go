package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/internal/cli/demo"
)

// demoFile is where the demo keeps its database, and where the other commands look when no database is named.
const demoFile = "stent-demo.sqlite"

// demoSample is how often a demo reads the gauges: a person is waiting for them.
const demoSample = 2 * time.Second

func (a *app) demoCommand() *cobra.Command {
	var (
		duration string
		quiet    bool
		listen   string
		cfg      demo.Config
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a small shop, to have something to look at",
		Long: `Run a small shop on a real database: a stream of orders, each an execution of order_workflow, and a worker for them.

Some charges fail and are tried again; some end in the dead letters, because the card is declined or the gateway stays down; large
orders wait for an approval, and one of them is left to you. The shop is open until Ctrl-C, or for as long as --for says.

The database is ` + demoFile + ` in the current folder unless --db names another; it is kept, and a second demo goes on where
the first has stopped. STENT_DB is not looked at, so that no demo gets into a database by accident.`,
		Example: `  stent demo --for 30s
  stent demo --rate 20 --quiet`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if duration != "" {
				var err error
				if cfg.For, err = core.ParseDuration(duration); err != nil || cfg.For == 0 {
					return usagef("--for %q: want a duration such as 30s or 5m", duration)
				}
			}
			if !(cfg.Rate >= 0.01 && cfg.Rate <= 1000) {
				return usagef("--rate %v: want 0.01 to 1000 orders a second", cfg.Rate)
			}
			if listen != "" && listen != noMetrics {
				if err := checkAddress("--metrics", listen); err != nil {
					return err
				}
			}
			cfg.Log = a.demoLog(quiet)
			return a.demo(cmd.Context(), cfg, listen)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&duration, "for", "", "how `long`, such as 30s or 5m (default until Ctrl-C)")
	flags.Float64Var(&cfg.Rate, "rate", 2, "how many `orders` a second")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "what the orders follow from; the same seed makes the same orders")
	flags.StringVar(&listen, "metrics", "", "the `address` to serve metrics for Prometheus at, or off (default "+metricsAddress+", or a free port)")
	flags.BoolVar(&quiet, "quiet", false, "no log, only the summary")
	return cmd
}

// demoLog is structured, on stderr. The date is left out: a person is watching.
func (a *app) demoLog(quiet bool) slog.Handler {
	if quiet {
		return slog.DiscardHandler
	}
	return slog.NewTextHandler(a.stderr, &slog.HandlerOptions{ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
		if attr.Key == slog.TimeKey && len(groups) == 0 {
			return slog.String(slog.TimeKey, attr.Value.Time().In(a.screen.zone).Format("15:04:05.000"))
		}
		return attr
	}})
}

// noMetrics is the address of a demo that serves none.
const noMetrics = "off"

// demoMetrics serves the demo's metrics; nil for none. Where nobody has said where, any free port is better than no demo.
func demoMetrics(ctx context.Context, listen string) (*metricsServer, error) {
	if listen == noMetrics {
		return nil, nil
	}
	if listen != "" {
		return serveMetrics(ctx, listen)
	}
	if s, err := serveMetrics(ctx, metricsAddress); err == nil {
		return s, nil
	}
	return serveMetrics(ctx, "127.0.0.1:0")
}

func (a *app) demo(ctx context.Context, cfg demo.Config, listen string) (err error) {
	d, err := parseDSN(orDefault(a.db, demoFile))
	if err != nil {
		return err
	}
	cfg.DB, err = a.openDatabase(ctx, d, toCreate)
	if err != nil {
		return err
	}
	metrics, err := demoMetrics(ctx, listen)
	if err != nil {
		return errors.Join(err, cfg.DB.Close())
	}
	if metrics != nil {
		cfg.Options = append(cfg.Options, core.WithMetrics(metrics.Recorder), core.WithSampleInterval(demoSample))
		defer func() { err = errors.Join(err, metrics.stop()) }()
	}
	until := "until Ctrl-C"
	if cfg.For > 0 {
		until = "for " + cfg.For.String()
	}
	if err := a.tell("A shop opens %s, with %g orders a second. It is kept in %s.\n", until, cfg.Rate, clean(d.name)); err != nil {
		return errors.Join(err, cfg.DB.Close())
	}
	if metrics != nil {
		if err := a.tell("Metrics for Prometheus are at %s while it is open.\n", metrics.URL); err != nil {
			return errors.Join(err, cfg.DB.Close())
		}
	}
	began := time.Now()
	cfg.Summary = func(t demo.Tally) error {
		return a.tell("--- %s: %s\n", age(time.Since(began)), a.tallied(t))
	}
	report, err := demo.Run(ctx, cfg)
	if err = errors.Join(err, cfg.DB.Close()); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(report)
	}
	a.screen.printf("\nThe shop is closed: %s.\nAll of it is kept in %s.\n\n", a.tallied(report.Tally), clean(d.name))
	a.next(d, report)
	return nil
}

// tell prints at once, unless JSON is wanted, which comes at the end.
func (a *app) tell(format string, args ...any) error {
	if a.json {
		return nil
	}
	a.screen.printf(format, args...)
	return a.screen.Flush()
}

func (a *app) tallied(t demo.Tally) string {
	return strings.Join([]string{
		a.screen.paint(green, fmt.Sprintf("%d completed", t.Completed)),
		a.screen.paint(yellow, fmt.Sprintf("%d retried", t.Retried)),
		a.screen.paint(red, fmt.Sprintf("%d dead-lettered", t.DeadLettered)),
		a.screen.paint(cyan, fmt.Sprintf("%d waiting for approval", t.Waiting)),
	}, ", ")
}

// next prints what to type next, with real ids.
func (a *app) next(d database, report demo.Report) {
	where, hint := a.whereabouts(d)
	lines := [][2]string{{"list", "the orders, newest first"}}
	if id := report.RetriedID; id != "" {
		lines = append(lines, [2]string{"show " + id, "one order, step by step; its payment took more than one attempt"})
	}
	if id := report.DeadLetterID; id != "" {
		lines = append(lines,
			[2]string{"dlq list", "what failed for good, and why"},
			[2]string{"dlq replay " + id, "try it again, now that the gateway is back"})
	}
	if id := report.WaitingID; id != "" {
		lines = append(lines, [2]string{"signal " + id + ` approval '{"approved": true, "by": "you"}'`, "let this large order go on"})
	}
	lines = append(lines, [2]string{"demo", "open the shop again: it goes on where it stopped"})

	a.screen.printf("What to type next%s:\n\n", hint)
	for _, line := range lines {
		a.screen.printf("  %s\n  %s %s%s\n\n", a.screen.paint(dim, "# "+line[1]), a.program, where, line[0])
	}
}

// whereabouts is the flag with which the other commands find the demo's database, if they need one. An address with a
// password in it is not printed.
func (a *app) whereabouts(d database) (flag, hint string) {
	switch env := os.Getenv("STENT_DB"); {
	case a.db == "" && env == "", a.db != "" && a.db == env:
		return "", ""
	case d.kind != "sqlite":
		return "", " (with --db as for this demo)"
	default:
		return "--db " + quoted(d.dsn) + " ", ""
	}
}

// quoted makes a path one word for a shell.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
