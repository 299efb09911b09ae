package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring a database's schema up to this program",
		Long: `Bring a database's schema up to this program.

A program that serves does so by itself when it opens its database; this command is for those who do it beforehand, with a role that
may. In a PostgreSQL database, "migrate up" makes the schema where it is missing.`,
		Args: noSuchCommand,
		RunE: help,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "up",
			Short: "Apply what is missing",
			Args:  arguments(0, 0, ""),
			RunE:  func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context(), toMigrate) },
		},
		&cobra.Command{
			Use:   "status",
			Short: "Tell whether something is missing; exits with 1 if so",
			Args:  arguments(0, 0, ""),
			RunE:  func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context(), toRead) },
		},
	)
	return cmd
}

// migrate opens the database, which is all: a backend migrates when it is opened, and refuses where it may not.
func (a *app) migrate(ctx context.Context, p purpose) error {
	d, err := a.address()
	if err != nil {
		return err
	}
	db, err := a.openDatabase(ctx, d, p)
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(migrateShape{UpToDate: true})
	} else {
		a.screen.printf("The schema of %s is up to date.\n", clean(d.name))
	}
	if closing := db.Close(); err == nil {
		err = closing
	}
	return err
}
