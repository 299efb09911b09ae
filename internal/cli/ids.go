package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stentgo/stent/core/backend"
)

// shown is how many candidates an error about an ambiguous id names.
const shown = 4

// findExecution turns what a person typed, an id or the beginning of one, into an id.
func findExecution(ctx context.Context, db backend.Inspector, typed string) (string, error) {
	x, err := db.Execution(ctx, typed)
	if err == nil {
		return x.ID, nil
	}
	if !errors.Is(err, backend.ErrNotFound) {
		return "", err
	}
	found, err := db.Executions(ctx, backend.ExecutionFilter{IDPrefix: typed, Limit: shown + 1})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", fmt.Errorf("no execution %q: `stent list` shows those there are", typed)
	case len(found) > 1:
		ids := make([]string, len(found))
		for i, x := range found {
			ids[i] = x.ID
		}
		return "", ambiguous("execution", typed, ids)
	}
	return found[0].ID, nil
}

// findDeadLetter takes a task's id, the same with the beginning of its execution's, or an execution's if that has a
// single dead letter.
func findDeadLetter(ctx context.Context, db backend.Backend, typed string) (backend.DeadLetter, error) {
	if id, err := backend.ParseTaskID(typed); err == nil {
		letter, err := db.DeadLetter(ctx, id)
		if !errors.Is(err, backend.ErrNotFound) {
			return letter, err
		}
		if execution, err := findExecution(ctx, db, id.Execution); err == nil {
			id.Execution = execution
			if letter, err := db.DeadLetter(ctx, id); !errors.Is(err, backend.ErrNotFound) {
				return letter, err
			}
		}
	}
	// Dead letters outlive their execution, so it need not be there.
	execution, err := findExecution(ctx, db, typed)
	if err != nil {
		execution = typed
	}
	found, err := db.DeadLetters(ctx, backend.DeadLetterFilter{Execution: execution, Limit: shown + 1})
	switch {
	case err != nil:
		return backend.DeadLetter{}, err
	case len(found) == 0:
		return backend.DeadLetter{}, fmt.Errorf("no dead letter %q: `stent dlq list` shows those there are", typed)
	case len(found) > 1:
		ids := make([]string, len(found))
		for i, d := range found {
			ids[i] = d.Task.String()
		}
		return backend.DeadLetter{}, ambiguous("dead letter", typed, ids)
	}
	return db.DeadLetter(ctx, found[0].Task)
}

func ambiguous(what, typed string, ids []string) error {
	more := ""
	if len(ids) > shown {
		ids, more = ids[:shown], ", ..."
	}
	return fmt.Errorf("%q fits more than one %s: %s%s; type more of the id", typed, what, strings.Join(ids, ", "), more)
}
