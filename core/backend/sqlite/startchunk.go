package sqlite

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

// startsAtOnce is how many executions one statement begins. To begin and to end a statement costs about as much as a row
// of it; with more at once there is little left to save.
const startsAtOnce = 16

// startsOf are the first commands, where that many are all starts.
func startsOf(commands []backend.Command) (chunk [startsAtOnce]*backend.Start, ok bool) {
	if len(commands) < startsAtOnce {
		return chunk, false
	}
	for i := range chunk {
		if chunk[i], ok = commands[i].(*backend.Start); !ok {
			return chunk, false
		}
	}
	return chunk, true
}

// startChunk begins executions. SQLite numbers rows without a gap, so the number of each is known where all were new.
func (t *tx) startChunk(chunk *[startsAtOnce]*backend.Start) error {
	args := make([]any, 0, startsAtOnce*9)
	for _, c := range chunk {
		c.Claimed, c.Existed, c.Err = time.Time{}, false, nil
		args = startArgs(args, c, t.now)
	}
	last, begun, err := t.insert(t.q.startChunk, args...)
	if err != nil {
		return err
	}
	t.tallyMany(backend.Pending, begun)
	first := last - begun + 1
	if begun < startsAtOnce {
		return t.sortOut(chunk, first, last)
	}
	args = args[:0]
	for i, c := range chunk {
		t.started(first+int64(i), c)
		args = inputArgs(args, first+int64(i), c)
	}
	_, err = t.exec(t.q.inputChunk, args...)
	return err
}

// sortOut finds which of the executions are those with the numbers from first to last, and which were there before.
func (t *tx) sortOut(chunk *[startsAtOnce]*backend.Start, first, last int64) error {
	begun := map[string]int64{}
	err := t.each(t.ctx, t.q.startedIDs, func(r *row) error {
		n := r.int()
		begun[r.text()] = n
		return nil
	}, first, last)
	for _, c := range chunk {
		if err != nil {
			return err
		}
		if n, ok := begun[c.ID]; ok {
			delete(begun, c.ID) // another one with this id was not begun
			t.started(n, c)
			_, err = t.exec(t.q.startInput, inputArgs(nil, n, c)...)
		} else {
			err = t.startExisting(c)
		}
	}
	return err
}
