package cli

import (
	"context"

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
		return nil, err
	}
	return db, nil
}
