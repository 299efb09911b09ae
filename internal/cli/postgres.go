package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
)

// openPostgres makes the schema also where it is to migrate: that is how a role that may create it prepares a database
// for programs that may not.
//
// Behind a pooler or not: the commands name no prepared statements and listen to nothing, but what they write is told
// to the workers.
func (a *app) openPostgres(ctx context.Context, d database, p purpose) (backend.Backend, error) {
	opts := []postgres.Option{postgres.PgBouncer(), postgres.Notify(true)}
	switch p {
	case toRead:
		opts = append(opts, postgres.MustExist(), postgres.NoMigrate())
	case toCreate:
		opts = nil // a worker is worth a connection of its own
	}
	db, err := postgres.Open(ctx, d.dsn, opts...)
	if err != nil {
		return nil, unreachable(ctx, d, err)
	}
	return db, nil
}

// unreachable says what to look at where there is no connection, in place of all that the driver has tried.
func unreachable(ctx context.Context, d database, err error) error {
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) || ctx.Err() != nil {
		return err
	}
	var (
		answer *pgconn.PgError
		lookup *net.DNSError
		dial   *net.OpError
	)
	switch {
	case errors.As(err, &answer):
		return fmt.Errorf("%s refuses the connection: %w: check the user, the password and the database's name in --db or STENT_DB", d.name, answer)
	case errors.As(err, &lookup):
		return fmt.Errorf("cannot reach %s: the host %q is not known: check the address in --db or STENT_DB", d.name, lookup.Name)
	case errors.As(err, &dial):
		return fmt.Errorf("cannot reach %s: %w: check that the server runs, and the host and the port in --db or STENT_DB", d.name, dial.Err)
	}
	return fmt.Errorf("cannot reach %s: %w: check that the server runs, and the address in --db or STENT_DB", d.name, connect.Unwrap())
}
