package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stentgo/stent/core"
)

// bulkFlags are the flags of what is done to many dead letters.
type bulkFlags struct {
	letterFilter
	rate        rateFlag
	dryRun, yes bool
}

func (f *bulkFlags) addTo(flags *pflag.FlagSet) {
	f.letterFilter.addTo(flags)
	flags.Var(&f.rate, "rate", "the most a second, such as 20 or 20/s (default no limit)")
	flags.IntVar(&f.Limit, "limit", 0, "the most in all (default no limit)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "only show what would be done")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
}

// rateFlag is a number a second.
type rateFlag float64

func (r *rateFlag) String() string { return strconv.FormatFloat(float64(*r), 'g', -1, 64) }
func (r *rateFlag) Type() string   { return "number/s" }
func (r *rateFlag) Set(s string) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "/s"), 64)
	if err != nil || !(n > 0) || n > 1e9 {
		return errors.New("want a number a second, more than 0, such as 20 or 20/s")
	}
	*r = rateFlag(n)
	return nil
}

func (a *app) dlqReplayAllCommand() *cobra.Command {
	var (
		flags   bulkFlags
		canary  int
		within  string
		toQueue string
	)
	cmd := &cobra.Command{
		Use:   "replay-all",
		Short: "Put many dead letters back to work",
		Long: `Put many dead letters back to work, newest first, as "stent dlq replay" does with one.

With --canary N the first N go alone, and the others only when these N have completed. Ctrl-C stops between two of them; what was replayed is counted and stays so.`,
		Example: `  stent dlq replay-all --step charge_payment --canary 5 --rate 20/s
  stent dlq replay-all --fingerprint 3f2a91c04b7d --dry-run`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var opts []core.BulkReplayOption
			if canary < 0 {
				return usagef("--canary %d: want 0 or more", canary)
			}
			if within != "" {
				d, err := core.ParseDuration(within)
				if err != nil {
					return usagef("--canary-within: %w", err)
				}
				opts = append(opts, core.CanaryWithin(d))
			}
			if toQueue != "" {
				opts = append(opts, core.ToQueue(toQueue))
			}
			opts = append(opts, core.Canary(canary), core.By(actor()))
			return a.dlqBulk(cmd.Context(), &flags, bulkWords{"Replay", "Replayed"}, func(e *core.Engine, f core.DeadLetterFilter, more []bulkOption) (core.BulkReport, error) {
				for _, o := range more {
					opts = append(opts, o)
				}
				return e.ReplayAll(cmd.Context(), f, opts...)
			})
		},
	}
	flags.addTo(cmd.Flags())
	cmd.Flags().IntVar(&canary, "canary", 0, "replay so many first, and the others only when they have completed")
	cmd.Flags().StringVar(&within, "canary-within", "", "how long these may take (default 10m)")
	cmd.Flags().StringVar(&toQueue, "to-queue", "", "the queue to put them into (default the one each came from)")
	return cmd
}

func (a *app) dlqDiscardAllCommand() *cobra.Command {
	var flags bulkFlags
	cmd := &cobra.Command{
		Use:   "discard-all",
		Short: "Remove many dead letters; their executions stay failed",
		Long: `Remove many dead letters. Nothing else changes: their executions stay as they are, and cannot go on by a replay any more.

Ctrl-C stops between two of them; what was discarded is counted and stays so.`,
		Example: `  stent dlq discard-all --step send_newsletter --older-than 30d
  stent dlq discard-all --fingerprint 3f2a91c04b7d --dry-run`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts := []core.BulkOption{core.By(actor())}
			return a.dlqBulk(cmd.Context(), &flags, bulkWords{"Discard", "Discarded"}, func(e *core.Engine, f core.DeadLetterFilter, more []bulkOption) (core.BulkReport, error) {
				for _, o := range more {
					opts = append(opts, o)
				}
				return e.DiscardAll(cmd.Context(), f, opts...)
			})
		},
	}
	flags.addTo(cmd.Flags())
	return cmd
}

// bulkOption fits both.
type bulkOption interface {
	core.BulkOption
	core.BulkReplayOption
}

type bulkWords struct{ verb, done string }

func (a *app) dlqBulk(ctx context.Context, flags *bulkFlags, words bulkWords,
	do func(*core.Engine, core.DeadLetterFilter, []bulkOption) (core.BulkReport, error)) error {
	if flags.Limit < 0 {
		return usagef("--limit %d: want 1 or more", flags.Limit)
	}
	f, err := flags.chosen(a.now(), a.screen.zone)
	if err != nil {
		return err
	}
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	if flags.dryRun || !flags.yes {
		groups := letterGroups{}
		plan, err := engine.DiscardAll(ctx, f, core.DryRun(), core.OnProgress(func(p core.BulkProgress) { groups.add(p.Letter) }))
		switch {
		case err != nil:
			return err
		case flags.dryRun && a.json:
			return a.printJSON(shapeBulk(plan, true))
		case plan.Matched == 0 && a.json:
			return a.printJSON(shapeBulk(plan, false))
		case plan.Matched == 0:
			a.screen.printf("No dead letters fit.\n")
			return nil
		case flags.dryRun:
			a.screen.table(a.screen.groupTable(groups))
			a.screen.printf("\n%s would be %s.\n", letterCount(plan.Matched), strings.ToLower(words.done))
			return nil
		}
		if err := a.confirm(fmt.Sprintf("%s %s?", words.verb, letterCount(plan.Matched))); err != nil {
			return err
		}
	}
	opts := []bulkOption{core.OnProgress(a.bulkProgress(words))}
	if flags.rate > 0 {
		opts = append(opts, core.Rate(float64(flags.rate)))
	}
	report, err := do(engine, f, opts)
	if a.json {
		return errors.Join(a.printJSON(shapeBulk(report, false)), err)
	}
	a.screen.bulkReport(report, words)
	return err
}

// bulkProgress tells every few seconds how far it has come.
func (a *app) bulkProgress(words bulkWords) func(core.BulkProgress) {
	const every = 5 * time.Second
	next := a.now().Add(every)
	return func(p core.BulkProgress) {
		if now := a.now(); now.After(next) {
			next = now.Add(every)
			fmt.Fprintf(a.stderr, "%s %s so far\n", words.done, letterCount(p.Done))
		}
	}
}

func (s *screen) bulkReport(r core.BulkReport, words bulkWords) {
	s.printf("%s %s.\n", words.done, letterCount(r.Done))
	if r.Skipped > 0 {
		s.printf("Skipped %s: gone meanwhile, or the execution goes on without the task or has been deleted.\n", letterCount(r.Skipped))
	}
	for _, c := range r.Canaries {
		s.printf("%s canary %s %s: %s\n", s.paint(colorOf(c.State), mark(c.State)), clean(c.Task.String()), clean(c.Step), c.State)
	}
}

func letterCount(n int) string {
	if n == 1 {
		return "1 dead letter"
	}
	return strconv.Itoa(n) + " dead letters"
}

// confirm asks on the terminal. What is no clear yes is a no.
func (a *app) confirm(question string) error {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && line == "" {
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(a.stderr)
			return usagef("nobody said yes: say it with --yes, if it is meant")
		}
		return err
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}
