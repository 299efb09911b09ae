package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stentgo/stent/core/backend"
)

// diagnose says what is wrong with the server, and what helps, where that can be told from an error. What the server or
// the network said stays part of it.
func (db *DB) diagnose(err error) error {
	var known *backend.FaultError
	if errors.As(err, &known) {
		return err
	}
	fault := faultOf(err)
	if fault == backend.FaultReadOnly {
		db.pool.Reset() // sessions keep what their database, role or server was when they began, also when it is over
	}
	remedy, ok := remedies[fault]
	if !ok {
		return err
	}
	return &backend.FaultError{Fault: fault, Says: fmt.Sprintf(remedy, db.where()), Cause: err}
}

// remedies say what is wrong with a server, and what helps.
var remedies = map[backend.Fault]string{
	backend.FaultDiskFull:    "the disk of %s is full: free some space there, the engine goes on by itself",
	backend.FaultReadOnly:    "%s takes no writes: it is a standby, or default_transaction_read_only is on; name the primary, or switch that off",
	backend.FaultUnreachable: "%s cannot be reached, or has closed the connection: see whether it runs; the engine goes on by itself when it does",
	backend.FaultConnections: "%s takes no more connections: raise max_connections, or lower pool_max_conns of its programs",
	backend.FaultLocked:      "another program holds a lock in %s for too long: see pg_locks",
	backend.FaultTimeout:     "%s has not answered in time: see whether it is overloaded, or statement_timeout is too short",
	backend.FaultDenied:      "%s refuses this user: see its password and its grants",
	backend.FaultDamaged:     "the disk of %s gave an error, or its data is damaged: see the server's log",
}

// where is the server as people call it, without a secret.
func (db *DB) where() string {
	c := db.pool.Config().ConnConfig
	return fmt.Sprintf("PostgreSQL at %s:%d, database %q", c.Host, c.Port, c.Database)
}

// states are the SQLSTATEs that tell a fault, and the classes of such, which are their first two characters.
var states = map[string]backend.Fault{
	"53100": backend.FaultDiskFull,    // disk_full
	"25006": backend.FaultReadOnly,    // read_only_sql_transaction
	"53300": backend.FaultConnections, // too_many_connections
	"55P03": backend.FaultLocked,      // lock_not_available
	"57014": backend.FaultTimeout,     // query_canceled
	"57P01": backend.FaultUnreachable, // admin_shutdown
	"57P02": backend.FaultUnreachable, // crash_shutdown
	"57P03": backend.FaultUnreachable, // cannot_connect_now
	"57P05": backend.FaultUnreachable, // idle_session_timeout
	"08":    backend.FaultUnreachable, // connection_exception
	"28":    backend.FaultDenied,      // invalid_authorization_specification
	"42501": backend.FaultDenied,      // insufficient_privilege
	"58030": backend.FaultDamaged,     // io_error
	"XX001": backend.FaultDamaged,     // data_corrupted
	"XX002": backend.FaultDamaged,     // index_corrupted
}

func faultOf(err error) backend.Fault {
	if state := sqlState(err); state != "" {
		if fault, ok := states[state]; ok {
			return fault
		}
		return states[state[:2]]
	}
	var (
		connect *pgconn.ConnectError
		network net.Error
	)
	switch {
	case errors.As(err, &connect), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return backend.FaultUnreachable
	case errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return backend.FaultTimeout
	case errors.As(err, &network):
		return backend.FaultUnreachable
	case pgconn.SafeToRetry(err): // nothing was sent, as on a connection that was found closed
		return backend.FaultUnreachable
	}
	return ""
}
