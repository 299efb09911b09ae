//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // database/sql's driver for what the nemesis does to the file

	"github.com/stentgo/stent/core/backend"
)

// fault is a kind of what is done to the workers and their database.
type fault string

const (
	kill        fault = "kill"         // SIGKILL
	pause       fault = "pause"        // SIGSTOP for longer than a lease, then SIGCONT
	overtake    fault = "overtake"     // SIGSTOP until others have what it held, then SIGCONT at once: it writes late
	deploy      fault = "deploy"       // SIGTERM
	restart     fault = "restart"      // the server, without its shutting down
	cut         fault = "cut"          // a worker's connections are closed
	lostAnswers fault = "lost answers" // what the server says does not arrive, then the connections are closed
	slowLine    fault = "slow line"    // each piece of data takes up to 30 ms
	split       fault = "split"        // nothing gets through for longer than a lease
	diskFull    fault = "disk full"
	connections fault = "connections" // all that the server has are taken
	terminate   fault = "terminate"   // the server ends sessions
	readOnly    fault = "read-only"   // the server takes no writes
	locked      fault = "locked"      // another program holds the file's lock
	schemaMoved fault = "schema moved"
	clockOff    fault = "clock off" // a worker whose clock is up to two hours ahead or behind
)

// nemesis injects faults, one or two at a time.
type nemesis struct {
	db     *database
	store  backend.Backend // straight to it
	fleet  *fleet
	random *rand.Rand
	report *report
}

func (n *nemesis) faults() map[fault]func(context.Context) error {
	all := map[fault]func(context.Context) error{
		kill: n.kill, pause: n.pause, overtake: n.overtake, deploy: n.deploy, schemaMoved: n.moveSchema,
	}
	if n.db.disk != nil {
		all[diskFull] = n.fillDisk
	}
	if n.db.server == nil {
		all[locked] = n.lock
		return all
	}
	all[restart], all[terminate], all[readOnly], all[connections] = n.restart, n.terminate, n.forbidWrites, n.takeConnections
	all[cut], all[lostAnswers], all[slowLine], all[split] = n.cut, n.loseAnswers, n.slow, n.split
	return all
}

// rage injects faults until the context ends. Every kind comes once before any comes again.
func (n *nemesis) rage(ctx context.Context, only string) {
	faults := n.faults()
	var names []fault
	for name := range faults {
		if only == "" || slices.Contains(strings.Split(only, ","), string(name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for ctx.Err() == nil && len(names) > 0 {
		n.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			if ctx.Err() != nil {
				return
			}
			began := time.Now()
			if err := faults[name](ctx); err != nil {
				n.report.violate("the nemesis cannot do %q: %v", name, err)
			} else {
				n.report.inject(name)
			}
			n.report.tell("%s (%v)", name, time.Since(began).Round(time.Millisecond))
			if n.random.IntN(3) > 0 {
				n.rest(ctx, time.Duration(200+n.random.IntN(1300))*time.Millisecond)
			}
		}
	}
}

// rest waits, or not, where the time is over: what was begun is then healed at once.
func (n *nemesis) rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// within is a duration at random between two.
func (n *nemesis) within(low, high time.Duration) time.Duration {
	return low + time.Duration(n.random.Int64N(int64(high-low)))
}

func (n *nemesis) kill(ctx context.Context) error {
	for range 1 + n.random.IntN(3) {
		n.fleet.signal(n.fleet.any(n.random), syscall.SIGKILL, killed)
		n.rest(ctx, n.within(0, 300*time.Millisecond))
	}
	return nil
}

func (n *nemesis) pause(context.Context) error {
	m := n.fleet.any(n.random)
	n.fleet.signal(m, syscall.SIGSTOP, paused)
	<-time.After(n.within(lease, 2*lease)) // also at the end: a shorter one is not the fault that is counted
	n.fleet.signal(m, syscall.SIGCONT, resumed)
	return nil
}

// overtake resumes a process while others are at what it was doing when it was stopped. What it was about to write is
// written then, before it finds out that its lease is over.
func (n *nemesis) overtake(ctx context.Context) error {
	m := n.fleet.any(n.random)
	n.fleet.signal(m, syscall.SIGSTOP, paused)
	for end := time.Now().Add(4 * lease); !n.isOver(ctx, m) && time.Now().Before(end); {
		<-time.After(2 * time.Millisecond)
	}
	<-time.After(n.within(0, 20*time.Millisecond))
	n.fleet.signal(m, syscall.SIGCONT, resumed)
	return nil
}

// isOver tells whether a member has no worker any more that others take for alive.
func (n *nemesis) isOver(ctx context.Context, m *member) bool {
	workers, err := n.store.Workers(context.WithoutCancel(ctx))
	if err != nil {
		return false
	}
	name := m.name() + "-"
	return !slices.ContainsFunc(workers, func(w backend.Worker) bool {
		return strings.HasPrefix(w.ID, name) && w.State != backend.WorkerDead && w.State != backend.WorkerStopped
	})
}

func (n *nemesis) deploy(context.Context) error {
	n.fleet.signal(n.fleet.any(n.random), syscall.SIGTERM, "")
	return nil
}

func (n *nemesis) restart(ctx context.Context) error {
	if err := n.db.server.Crash(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	n.rest(ctx, n.within(0, lease))
	return n.db.server.Start(context.WithoutCancel(ctx))
}

func (n *nemesis) cut(ctx context.Context) error {
	for range 1 + n.random.IntN(4) {
		n.fleet.any(n.random).proxy.cut()
		n.rest(ctx, n.within(0, 200*time.Millisecond))
	}
	return nil
}

func (n *nemesis) loseAnswers(ctx context.Context) error {
	p := n.fleet.any(n.random).proxy
	p.loseAnswers()
	n.rest(ctx, n.within(20*time.Millisecond, 300*time.Millisecond))
	p.cut()
	p.heal()
	return nil
}

func (n *nemesis) slow(ctx context.Context) error {
	p := n.fleet.any(n.random).proxy
	p.slow(n.within(time.Millisecond, 30*time.Millisecond))
	n.rest(ctx, n.within(time.Second, 2*time.Second))
	p.heal()
	return nil
}

func (n *nemesis) split(context.Context) error {
	p := n.fleet.any(n.random).proxy
	p.hold()
	<-time.After(n.within(lease, 2*lease))
	if n.random.IntN(2) == 0 {
		p.cut()
	}
	p.heal()
	return nil
}

func (n *nemesis) fillDisk(ctx context.Context) error {
	if err := n.db.disk.fill(); err != nil {
		return err
	}
	n.rest(ctx, n.within(500*time.Millisecond, 2*time.Second))
	if err := n.db.disk.free(); err != nil {
		return err
	}
	if n.db.server == nil {
		return nil
	}
	// PostgreSQL gives up where it cannot write its log, and its administrator starts it when there is room again.
	ctx = context.WithoutCancel(ctx)
	for deadline := time.Now().Add(30 * time.Second); ; {
		err := n.db.exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server does not come back: %w", err)
		}
		<-time.After(500 * time.Millisecond)
		if strings.Contains(err.Error(), "refused") {
			_ = n.db.server.Start(ctx) // it may be about to start by itself
		}
	}
}

func (n *nemesis) takeConnections(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var taken []*pgx.Conn
	for {
		c, err := pgx.Connect(ctx, n.db.dsn)
		if err != nil {
			break
		}
		taken = append(taken, c)
	}
	<-time.After(n.within(lease/2, lease))
	for _, c := range taken {
		_ = c.Close(ctx)
	}
	if len(taken) < 10 {
		return fmt.Errorf("only %d connections could be taken", len(taken))
	}
	return nil
}

func (n *nemesis) terminate(ctx context.Context) error {
	return n.db.exec(context.WithoutCancel(ctx), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stent' AND random() < 0.5")
}

func (n *nemesis) forbidWrites(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	set := func(statement string) error {
		if err := n.db.exec(ctx, statement); err != nil {
			return err
		}
		return n.db.exec(ctx, "SELECT pg_reload_conf()")
	}
	if err := set("ALTER SYSTEM SET default_transaction_read_only = on"); err != nil {
		return err
	}
	<-time.After(n.within(lease/2, lease))
	conn, err := pgx.Connect(ctx, n.db.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range []string{"SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// inFile runs statements in a transaction on the SQLite file, as another program would, and holds it for a while.
func (n *nemesis) inFile(ctx context.Context, hold time.Duration, statements ...string) error {
	ctx = context.WithoutCancel(ctx)
	db, err := sql.Open("sqlite", "file:"+n.db.path+"?_pragma=busy_timeout(20000)&_txlock=immediate")
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	if hold > 0 {
		<-time.After(hold)
	}
	return tx.Commit()
}

func (n *nemesis) lock(ctx context.Context) error {
	return n.inFile(ctx, n.within(lease/2, 2*lease))
}

// moveSchema makes the database look as if a newer program had migrated it. What runs goes on; what is started in the
// meantime has to refuse.
func (n *nemesis) moveSchema(ctx context.Context) error {
	do := func(statement string) error {
		if n.db.server != nil {
			return n.db.exec(context.WithoutCancel(ctx), statement)
		}
		return n.inFile(ctx, 0, strings.ReplaceAll(statement, "stent.migrations", "migrations"))
	}
	if err := do("INSERT INTO stent.migrations (version, name, applied_at) SELECT 9999, 'from the future', max(applied_at) FROM stent.migrations"); err != nil {
		return err
	}
	db, err := openBackend(context.WithoutCancel(ctx), n.db.name, n.db.address(nil))
	refused := err != nil && strings.Contains(err.Error(), "newer")
	if err == nil {
		_ = db.Close()
	}
	n.fleet.signal(n.fleet.any(n.random), syscall.SIGKILL, killed)
	n.rest(ctx, n.within(200*time.Millisecond, time.Second))
	if err := do("DELETE FROM stent.migrations WHERE version = 9999"); err != nil {
		return err
	}
	if !refused {
		return fmt.Errorf("a program opens a schema that is newer than itself: %w", err)
	}
	return nil
}
