package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// The least program that does the same durable steps: a start, a claim, the end of each activity together with the begin
// of the next, and the end. It commits in groups. It has no retries, no leases, no queues, no replay and no options, so
// nothing that keeps histories in the same database can be faster by much.

func limits() []engine {
	return []engine{{
		name: "limit", settings: "the same durable steps, group commit, nothing else", kinds: []string{"postgres", "sqlite"}, backlog: 100_000, open: openLimit,
	}}
}

func openLimit(ctx context.Context, t target) (session, error) {
	var (
		store limitStore
		err   error
	)
	if t.kind == "postgres" {
		store, err = openLimitPostgres(ctx, t.address)
	} else {
		store, err = openLimitSQLite(ctx, t.address, t.full)
	}
	if err != nil {
		return nil, err
	}
	return &limit{store: store, committers: store.committers()}, nil
}

// limitOp is a step to be made durable.
type limitOp struct {
	id     limitID
	start  bool   // insert an execution
	input  []byte // likewise, with this instead of what all have
	claim  bool   // it is ours
	ended  bool   // its activity seq has ended ...
	seq    int64
	begun  bool // ... and the activity seq+1 begins
	offers bool // ... and the activity seq+1 is for another process
	closed bool // it has ended
	done   chan struct{}
}

// limitStore writes a group of steps in one transaction.
type limitStore interface {
	committers() int
	write(ctx context.Context, w int, ops []*limitOp) error
	// insert writes executions at once.
	insert(ctx context.Context, ids []limitID) error
	// next claims up to n executions and ends others, in one transaction.
	next(ctx context.Context, w int, ended []limitID, n int) (claimed []limitID, err error)
	close() error
}

type limit struct {
	store      limitStore
	committers int
	apart      *limitApart // nil until others have a part in the work
	begun      func(sent int64)

	mu     sync.Mutex
	queue  []*limitOp
	active int
	err    error
}

func (l *limit) Close() error { return l.store.close() }

func (l *limit) Serve(context.Context) error { return nil }

func (l *limit) Insert(ctx context.Context, n int) error {
	ids := make([]limitID, n)
	for i := range ids {
		ids[i] = newLimitID()
	}
	return l.store.insert(ctx, ids)
}

func (l *limit) Drain(ctx context.Context, done func()) error {
	for w := range l.committers {
		go func() {
			var ended []limitID
			for ctx.Err() == nil {
				claimed, err := l.store.next(ctx, w, ended, 100)
				if err != nil {
					if ctx.Err() == nil {
						panic(fmt.Sprint("limit: ", err))
					}
					return
				}
				for range ended {
					done() // counted when its end is on disk
				}
				if ended = claimed; len(claimed) == 0 {
					return
				}
			}
		}()
	}
	return nil
}

func (l *limit) Flow(ctx context.Context, activities int) error {
	id := newLimitID()
	if l.apart != nil {
		return l.flowApart(ctx, id, activities)
	}
	if err := l.step(ctx, &limitOp{id: id, start: true}); err != nil {
		return err
	}
	if err := l.step(ctx, &limitOp{id: id, claim: true, begun: activities > 0, closed: activities == 0}); err != nil {
		return err
	}
	for seq := 1; seq <= activities; seq++ {
		if err := l.step(ctx, &limitOp{id: id, ended: true, seq: int64(seq), begun: seq < activities, closed: seq == activities}); err != nil {
			return err
		}
	}
	return nil
}

// step returns when the step is durable.
func (l *limit) step(ctx context.Context, op *limitOp) error {
	op.done = make(chan struct{})
	l.mu.Lock()
	l.queue = append(l.queue, op)
	if l.active < l.committers {
		w := l.active
		l.active++
		go l.commit(ctx, w)
	}
	l.mu.Unlock()
	<-op.done
	return l.err
}

func (l *limit) commit(ctx context.Context, w int) {
	for {
		l.mu.Lock()
		group := l.queue
		l.queue = nil
		if len(group) == 0 {
			l.active--
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		if err := l.store.write(ctx, w, group); err != nil {
			l.err = err
		}
		for _, op := range group {
			close(op.done)
		}
	}
}

// columns are the parts of a group, as parameters of statements.
type columns struct {
	starts, sent, claims, ended, begun, offered, closed []limitID
	inputs                                              [][]byte
	endedSeq, begunSeq, offeredSeq                      []int64
}

func columnsOf(ops []*limitOp) (c columns) {
	for _, op := range ops {
		if op.input != nil {
			c.sent, c.inputs = append(c.sent, op.id), append(c.inputs, op.input)
		} else if op.start {
			c.starts = append(c.starts, op.id)
		}
		if op.claim {
			c.claims = append(c.claims, op.id)
		}
		if op.ended {
			c.ended, c.endedSeq = append(c.ended, op.id), append(c.endedSeq, op.seq)
		}
		if op.begun {
			c.begun, c.begunSeq = append(c.begun, op.id), append(c.begunSeq, op.seq+1)
		}
		if op.offers {
			c.offered, c.offeredSeq = append(c.offered, op.id), append(c.offeredSeq, op.seq+1)
		}
		if op.closed {
			c.closed = append(c.closed, op.id)
		}
	}
	return c
}

// limitID is a UUID of version 7, as an engine needs ids that others can make too.
type limitID [16]byte

func newLimitID() (id limitID) {
	_, _ = rand.Read(id[:])
	binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMilli())<<16|uint64(binary.BigEndian.Uint16(id[6:8])))
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}
