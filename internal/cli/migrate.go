package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core/backend"
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
	var old *backend.SchemaOldError
	if errors.As(err, &old) {
		return a.pending(d, old)
	}
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(migrateShape{UpToDate: true, Pending: []migrationShape{}})
	} else {
		a.screen.printf("The schema of %s is up to date.\n", clean(d.name))
	}
	if closing := db.Close(); err == nil {
		err = closing
	}
	return err
}

// pending prints what is missing, one migration a line. It is an error too, for scripts that look at the exit code.
func (a *app) pending(d database, old *backend.SchemaOldError) error {
	if a.json {
		shape := migrateShape{}
		for _, m := range old.Pending {
			shape.Pending = append(shape.Pending, migrationShape{m.Version, m.Name})
		}
		if err := a.printJSON(shape); err != nil {
			return err
		}
	} else {
		a.screen.printf("The schema of %s is at version %d. Pending:\n", clean(d.name), old.Version)
		for _, m := range old.Pending {
			a.screen.printf("  %04d  %s\n", m.Version, m.Name)
		}
	}
	return fmt.Errorf("%d pending: %w", len(old.Pending), backend.ErrSchemaOld)
}
