package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// What one process begins and another does, in PostgreSQL. A note tells that there is something, and says no more; each
// side takes all there is in one statement.

const (
	limitSend  = `INSERT INTO exec SELECT id, 'sequence', 'default', now(), 0, input FROM unnest($1::uuid[], $2::bytea[]) AS u (id, input)`
	limitOffer = `INSERT INTO task SELECT exec, seq, 'noop', 0, '\x32', NULL, now() FROM unnest($1::uuid[], $2::bigint[]) AS u (exec, seq)`
	limitTake  = `UPDATE task SET state = 1, due = NULL WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM task WHERE due <= now() ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING exec, seq`
	limitRead = `SELECT t.exec FROM unnest($1::uuid[], $2::bigint[]) AS u (exec, seq) JOIN task AS t ON t.exec = u.exec AND t.seq = u.seq
		WHERE t.state = 2`
	limitReceive = `UPDATE exec SET state = 1, due = NULL WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM exec WHERE queue = 'default' AND due <= now() ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING id, input`
	limitNote = `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')`
)

// The channels of notes.
const (
	limitOffered = "limit_offered"
	limitEnded   = "limit_ended"
)

// limitApart is one side of the work.
type limitApart struct {
	store *limitPostgres
	notes chan string // to be sent; another that waits already says the same

	mu      sync.Mutex
	waiting map[limitID]limitWait
}

// limitWait is a workflow that waits for the end of an activity.
type limitWait struct {
	seq   int64
	ended chan struct{}
}

func (l *limit) setApart(ctx context.Context) (*limitApart, error) {
	store, ok := l.store.(*limitPostgres)
	if !ok {
		return nil, errNotHad
	}
	a := &limitApart{store: store, notes: make(chan string, 1), waiting: map[limitID]limitWait{}}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case channel := <-a.notes:
				_, err := store.pool.Exec(ctx, limitNote, channel)
				limitCheck(ctx, err)
			}
		}
	}()
	return a, nil
}

// limitCheck ends the program where the database fails: a limit without a part of its work is none.
func limitCheck(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		panic(fmt.Sprint("limit: ", err))
	}
}

func (a *limitApart) note(channel string) {
	select {
	case a.notes <- channel:
	default:
	}
}

// listen calls told after each note, and once at first, for those that were sent before. It returns when it listens.
func (a *limitApart) listen(ctx context.Context, channel string, told func()) error {
	conn, err := pgx.ConnectConfig(ctx, a.store.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	news := make(chan struct{}, 1)
	news <- struct{}{}
	go func() {
		for ctx.Err() == nil {
			_, err := conn.WaitForNotification(ctx)
			limitCheck(ctx, err)
			select {
			case news <- struct{}{}:
			default:
			}
		}
	}()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-news:
				told()
			}
		}
	}()
	return nil
}

// ServeFlows runs workflows whose activities are another process's.
func (l *limit) ServeFlows(ctx context.Context) (err error) {
	if l.apart, err = l.setApart(ctx); err != nil {
		return err
	}
	return l.apart.listen(ctx, limitEnded, func() { limitCheck(ctx, l.apart.read(ctx)) })
}

// read finds out which of the activities that are waited for have ended.
func (a *limitApart) read(ctx context.Context) error {
	var (
		ids  []limitID
		seqs []int64
	)
	a.mu.Lock()
	for id, w := range a.waiting {
		ids, seqs = append(ids, id), append(seqs, w.seq)
	}
	a.mu.Unlock()
	rows, err := a.store.pool.Query(ctx, limitRead, ids, seqs)
	if err != nil {
		return err
	}
	ended, err := pgx.CollectRows(rows, pgx.RowTo[limitID])
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ended {
		close(a.waiting[id].ended)
		delete(a.waiting, id)
	}
	return nil
}

func (l *limit) flowApart(ctx context.Context, id limitID, activities int) error {
	if err := l.step(ctx, &limitOp{id: id, start: true}); err != nil {
		return err
	}
	for seq := range int64(activities) {
		w := limitWait{seq: seq + 1, ended: make(chan struct{})}
		l.apart.mu.Lock()
		l.apart.waiting[id] = w
		l.apart.mu.Unlock()
		if err := l.step(ctx, &limitOp{id: id, claim: seq == 0, seq: seq, offers: true}); err != nil {
			return err
		}
		l.apart.note(limitOffered)
		select {
		case <-w.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return l.step(ctx, &limitOp{id: id, closed: true})
}

// ServeRemote does activities: what a transaction has taken ends with the next one.
func (l *limit) ServeRemote(ctx context.Context) (err error) {
	if l.apart, err = l.setApart(ctx); err != nil {
		return err
	}
	return l.apart.listen(ctx, limitOffered, func() { limitCheck(ctx, l.apart.work(ctx)) })
}

func (a *limitApart) work(ctx context.Context) error {
	for first, begun, seqs := true, []limitID(nil), []int64(nil); first || len(begun) > 0; first = false {
		ended, places := begun, seqs
		begun, seqs = nil, nil
		b := &pgx.Batch{}
		if len(ended) > 0 {
			b.Queue(limitEnd, ended, places)
		}
		b.Queue(limitTake, 100).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var (
					id  limitID
					seq int64
				)
				if err := rows.Scan(&id, &seq); err != nil {
					return err
				}
				begun, seqs = append(begun, id), append(seqs, seq)
			}
			return rows.Err()
		})
		if err := a.store.pool.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		if len(ended) > 0 {
			a.note(limitEnded)
		}
	}
	return nil
}

// Prepare is for a process that only starts.
func (l *limit) Prepare() (err error) {
	l.apart, err = l.setApart(context.Background())
	return err
}

// Start begins an execution that is told when it was sent.
func (l *limit) Start(ctx context.Context, sent int64) error {
	id := newLimitID()
	if err := l.step(ctx, &limitOp{id: id, start: true, input: binary.BigEndian.AppendUint64(nil, uint64(sent))}); err != nil {
		return err
	}
	if l.begun != nil {
		return l.beginStart(ctx, id, sent, &limitOp{claim: true})
	}
	l.apart.note(limitOffered)
	return nil
}

// beginStart has an execution's activity begin, with what else is to be written with that, and ends both.
func (l *limit) beginStart(ctx context.Context, id limitID, sent int64, op *limitOp) error {
	op.id, op.begun = id, true
	if err := l.step(ctx, op); err != nil {
		return err
	}
	l.begun(sent)
	return l.step(ctx, &limitOp{id: id, ended: true, seq: 1, closed: true})
}

// ServeStarts begins what others start. What is started here begins without it.
func (l *limit) ServeStarts(ctx context.Context, begun func(sent int64)) (err error) {
	if l.apart, err = l.setApart(ctx); err != nil {
		return err
	}
	l.begun = begun
	return l.apart.listen(ctx, limitOffered, func() { limitCheck(ctx, l.receive(ctx)) })
}

func (l *limit) receive(ctx context.Context) error {
	const most = 100
	for n := most; n == most; {
		rows, err := l.apart.store.pool.Query(ctx, limitReceive, most)
		if err != nil {
			return err
		}
		n = 0
		for rows.Next() {
			var (
				id    limitID
				input []byte
			)
			if err := rows.Scan(&id, &input); err != nil {
				return err
			}
			n++
			go func() { limitCheck(ctx, l.beginStart(ctx, id, int64(binary.BigEndian.Uint64(input)), &limitOp{})) }()
		}
		if rows.Err() != nil {
			return rows.Err()
		}
	}
	return nil
}
