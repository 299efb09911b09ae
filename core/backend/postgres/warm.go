package postgres

import (
	"context"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// hot are the statements of workflows and activities that go well.
var hot = []string{
	"settings", "fence", "start", "turn", "complete", "settle", "add", "turned", "let_go", "claim_woken", "claim", "claim_lane_executions", "claim_lane_tasks",
}

// warmTimeout is many times what warm takes. What it has not done until then, the first tasks do. Only tests change it.
var warmTimeout = 2 * time.Second

// warming is done by whoever puts something in: two that share a small pool would each hold what the other one waits for.
var warming = make(chan struct{}, 1)

// warm readies as many connections as a worker uses most of the time. The process of a new connection has yet to read what the
// tables are and to plan each statement, tens of milliseconds that the first tasks would wait for. So it is given the hot ones
// here, with NULL for all parameters: they find nothing and change nothing. It is no error if that fails.
func (db *DB) warm(ctx context.Context) {
	config := db.pool.Config()
	if config.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		return // connections do not know statements again
	}
	ctx, cancel := context.WithTimeout(ctx, warmTimeout)
	defer cancel()
	select {
	case warming <- struct{}{}:
		defer func() { <-warming }()
	case <-ctx.Done():
		return
	}
	var held []*pgxpool.Conn // all at once, or the pool would give the same one again
	defer func() {
		for _, conn := range held {
			conn.Release()
		}
	}()
	free := int(config.MaxConns - db.pool.Stat().AcquiredConns())
	for range min(db.opts.committers+1, free-1) {
		conn, err := db.pool.Acquire(ctx)
		if err != nil {
			return
		}
		held = append(held, conn)
		var batch pgx.Batch
		for _, name := range hot {
			text := db.q.get(name)
			batch.Queue(text, make([]any, parameters(text))...)
		}
		if err := conn.SendBatch(ctx, &batch).Close(); err != nil {
			return
		}
	}
}

var parameter = regexp.MustCompile(`\$\d+`)

// parameters is how many a statement has.
func parameters(text string) int {
	seen := map[string]bool{}
	for _, p := range parameter.FindAllString(text, -1) {
		seen[p] = true
	}
	return len(seen)
}
