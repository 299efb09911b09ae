// Package cli is the command stent: what it reads, what it prints, and how it ends.
package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes, as README and scripts know them.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2   // the command was not understood
	exitInterrupted = 130 // Ctrl-C, as shells count it
)

// Run does one command and returns its exit code. What was asked for goes to stdout; one line about what went wrong,
// beginning with "stent: ", to stderr.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now, program: programName()}
	return a.run(ctx, args)
}

// app is one run of the command.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	program        string // what a person types to run this command again

	// Global flags.
	db      string
	json    bool
	utc     bool
	noColor bool

	screen *screen // set when the flags are known
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if a.screen != nil {
		if flushErr := a.screen.Flush(); err == nil {
			err = flushErr
		}
	}
	return a.report(ctx, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "stent",
		Short: "Look at durable executions, and mend what failed",
		Long: `stent looks at the executions of a Stent database, and mends what failed.

The database is named by --db, or else by the environment variable STENT_DB:

  sqlite:orders.db, or just orders.db        an SQLite file
  postgres://user@host:5432/database         a PostgreSQL database

Without either, stent takes ` + demoFile + ` if "stent demo" has left one here.`,
		Example: `  stent demo --for 30s          run a small shop on an SQLite file, to have something to look at
  stent list --state failed     the newest executions that failed
  stent show order-1003         one execution, step by step; the beginning of an id is enough
  stent watch                   all of it on one screen, as it goes
  stent why order-1003          why it is not done, and what helps
  stent dlq list                tasks that will not be tried again by themselves
  stent dlq replay order-1003.2
                                try one again`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              noSuchCommand,
		RunE:              help,
		PersistentPreRun:  func(*cobra.Command, []string) { a.screen = newScreen(a.stdout, a.utc, a.noColor) },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.SetVersionTemplate("{{.DisplayName}} {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVar(&a.db, "db", "", "the `address` of a database: sqlite:PATH, a path, or postgres://... (default $STENT_DB)")
	flags.BoolVar(&a.json, "json", false, "print JSON, with times in UTC")
	flags.BoolVar(&a.utc, "utc", false, "print times in UTC instead of the local zone")
	flags.BoolVar(&a.noColor, "no-color", false, "print no colours (also with NO_COLOR set, and when the output is no terminal)")
	root.AddCommand(
		a.listCommand(), a.showCommand(), a.whyCommand(), a.traceCommand(), a.tasksCommand(), a.statsCommand(), a.watchCommand(),
		a.signalCommand(), a.cancelCommand(), a.dlqCommand(), a.queueCommand(), a.scheduleCommand(), a.cleanupCommand(), a.doctorCommand(),
		a.exporterCommand(), a.dashboardsCommand(), a.alertsCommand(), a.migrateCommand(), a.demoCommand(), a.versionCommand(),
	)
	return root
}

// help is what a command does that only groups others.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// programName is "stent", unless the program was built for this one run by `go run`, in a folder that is removed
// afterwards: then stent is not a command that a person could type.
func programName() string {
	exe, err := os.Executable()
	if err == nil && strings.Contains(exe, "go-build") && filepath.Base(filepath.Dir(exe)) == "exe" {
		return "go run ./cmd/stent"
	}
	return "stent"
}
