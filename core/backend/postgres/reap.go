package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// Reap declares dead every worker whose lease ran out and gives back what it held.
func (db *DB) Reap(ctx context.Context, maxCrashes int) (backend.Reaped, error) {
	var (
		reaped backend.Reaped
		told   news
		is     bool
	)
	if err := db.pool.QueryRow(ctx, db.q.get("reap_look")).Scan(&is); err != nil || !is {
		return reaped, db.wrap(ended(ctx, err), "look for dead workers")
	}
	err := db.transact(ctx, func(tx pgx.Tx) (err error) {
		told = news{}
		reaped, err = db.reap(ctx, tx, maxCrashes, &told)
		return err
	})
	if err != nil {
		return backend.Reaped{}, db.wrap(err, "take over from dead workers")
	}
	db.notes.add(told)
	return reaped, nil
}

func (db *DB) reap(ctx context.Context, tx pgx.Tx, maxCrashes int, told *news) (reaped backend.Reaped, err error) {
	if _, err := tx.Exec(ctx, db.q.get("reap_forget")); err != nil {
		return reaped, err
	}
	rows, err := tx.Query(ctx, db.q.get("reap_workers"))
	if err != nil {
		return reaped, err
	}
	names := map[int32]string{}
	var (
		n    int32
		id   string
		dead []int32
	)
	if _, err := pgx.ForEachRow(rows, []any{&n, &id}, func() error {
		names[n], dead = id, append(dead, n)
		reaped.Workers = append(reaped.Workers, id)
		return nil
	}); err != nil || len(dead) == 0 {
		return reaped, err
	}
	t := taker{db: db, tx: tx, news: told, crashes: 1, maxCrashes: maxCrashes}
	if err := t.end(ctx, dead, backend.WorkerDead); err != nil {
		return reaped, err
	}
	for _, h := range t.held {
		reaped.Tasks = append(reaped.Tasks, backend.ReapedTask{
			Task: h.id, Kind: h.kind(), Step: h.step, Queue: h.queue, Worker: names[h.worker], Buried: t.buries(&h),
		})
	}
	return reaped, nil
}

// taker gives back the tasks of workers that end.
type taker struct {
	db         *DB
	tx         pgx.Tx
	news       *news
	crashes    int // to add to each task
	maxCrashes int // 0: bury none
	held       []held
	waited     map[key]bool // executions of which the worker also held an activity
}

// crashesOf is how many crashes are added to a task: none to an orchestrator that only waited for an activity.
func (t *taker) crashesOf(h *held) int {
	if h.id.IsRoot() && t.waited[h.key] {
		return 0
	}
	return t.crashes
}

// buries tells whether workers have died of a task too often.
func (t *taker) buries(h *held) bool {
	crashes := t.crashesOf(h)
	return crashes > 0 && t.maxCrashes > 0 && h.crashes+crashes >= t.maxCrashes
}

// end ends workers. First it waits for what they are writing; from then on they can write nothing.
func (t *taker) end(ctx context.Context, workers []int32, state backend.WorkerState) (err error) {
	for _, n := range workers {
		if err := t.exec(ctx, "reap_fence", t.db.class, n); err != nil {
			return err
		}
	}
	if err := t.exec(ctx, "retire", workers, string(state)); err != nil {
		return err
	}
	if err := t.exec(ctx, "recall_none", workers); err != nil {
		return err
	}
	if t.held, err = t.db.held(ctx, t.tx, workers); err != nil || len(t.held) == 0 {
		return err
	}
	if err := t.exec(ctx, "let_go_all", workers); err != nil {
		return err
	}
	if err := t.lock(ctx); err != nil {
		return err
	}
	t.waited = make(map[key]bool)
	for _, h := range t.held {
		if !h.id.IsRoot() {
			t.waited[h.key] = true
		}
	}
	var roots, activities, poisonedRoots, poisoned []held
	for _, h := range t.held {
		switch root := h.id.IsRoot(); {
		case root && t.buries(&h):
			poisonedRoots = append(poisonedRoots, h)
		case root:
			roots = append(roots, h)
		case t.buries(&h):
			poisoned = append(poisoned, h)
		default:
			activities = append(activities, h)
		}
		t.news.due(h.queue)
	}
	// Activities first: the end of an orchestrator cancels what is unfinished.
	if err := t.exec(ctx, "give_back", heldKeys(activities), heldSeqs(activities), heldTokens(activities), t.crashesOfAll(activities)); err != nil {
		return err
	}
	if err := t.bury(ctx, poisoned); err != nil {
		return err
	}
	if err := t.exec(ctx, "give_back_execution", heldKeys(roots), heldTokens(roots), t.crashesOfAll(roots)); err != nil {
		return err
	}
	return t.fail(ctx, poisonedRoots)
}

func (t *taker) exec(ctx context.Context, name string, args ...any) error {
	if _, err := t.tx.Exec(ctx, t.db.q.get(name), args...); err != nil {
		return fmt.Errorf("sql/%s.sql: %w", name, err)
	}
	return nil
}

// lock locks the executions that are changed.
func (t *taker) lock(ctx context.Context) error {
	keys := heldKeys(t.held)
	slices.SortFunc(keys, compareKeys)
	return t.exec(ctx, "lock", slices.Compact(keys))
}

func (t *taker) crashesOfAll(list []held) []int32 {
	return column(list, func(h held) int32 { return number(t.crashesOf(&h)) })
}

func heldKeys(list []held) []key { return column(list, func(h held) key { return h.key }) }
func heldSeqs(list []held) []int32 {
	return column(list, func(h held) int32 { return number(h.id.Seq) })
}
func heldTokens(list []held) []int32 {
	return column(list, func(h held) int32 { return number(h.token) })
}
func (t *taker) reason(h held) string {
	return fmt.Sprintf("poison: %d workers in a row died while they ran it", h.crashes+t.crashes)
}

// codePoison is the code of the failure of a task of which workers died.
const codePoison = "poison"

// bury moves activities of which workers died too often to the dead letters.
func (t *taker) bury(ctx context.Context, poisoned []held) error {
	if len(poisoned) == 0 {
		return nil
	}
	if err := t.exec(ctx, "crash", heldKeys(poisoned), heldSeqs(poisoned)); err != nil {
		return err
	}
	buries := column(poisoned, func(h held) keyed[*backend.Bury] {
		reason := t.reason(h)
		return keyed[*backend.Bury]{h.key, &backend.Bury{
			Task: h.id, Token: h.token, State: backend.Failed, Reason: reason, Failure: backend.Failure{Message: reason, Code: codePoison},
		}}
	})
	if err := t.exec(ctx, "bury", buryArgs(buries, backend.Running)...); err != nil {
		return err
	}
	return t.wake(ctx, heldKeys(poisoned))
}

func (t *taker) wake(ctx context.Context, executions []key) error {
	rows, err := t.tx.Query(ctx, t.db.q.get("wake"), executions, []key{}, []string{})
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = t.news.woke(rows)
	return err
}

// fail ends executions of whose orchestrators workers died too often.
func (t *taker) fail(ctx context.Context, poisoned []held) error {
	if len(poisoned) == 0 {
		return nil
	}
	t.news.done = true
	keys, tokens := heldKeys(poisoned), heldTokens(poisoned)
	failures := column(poisoned, func(h held) pgtype.Text { return failure(&backend.Failure{Message: t.reason(h), Code: codePoison}) })
	if err := t.exec(ctx, "crash_execution", keys); err != nil {
		return err
	}
	if err := t.exec(ctx, "close", keys, tokens, column(poisoned, func(held) string { return string(backend.Failed) }),
		make([][]byte, len(poisoned)), failures, make([]pgtype.Text, len(poisoned))); err != nil {
		return err
	}
	if err := t.settleParents(ctx, poisoned); err != nil {
		return err
	}
	if err := t.forgetAll(ctx, keys); err != nil {
		return err
	}
	return t.exec(ctx, "dead_letter_execution", keys, column(poisoned, t.reason), failures)
}
