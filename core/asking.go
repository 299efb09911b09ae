package core

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/internal/stack"
)

// asking reads executions for those who wait for their ends. Like the committer it has no timer: the first question is asked at
// once, and those that come meanwhile share the next query. A change wakes all who wait, so a hundred of them ask one
// question together.
type asking struct {
	db backend.Inspector

	mu      sync.Mutex
	waiting []question
	running bool
}

// question is of one execution; the answer is sent without blocking.
type question struct {
	id     string
	answer chan<- answer
}

type answer struct {
	execution backend.Execution
	err       error
}

// maxQuestions of one query.
const maxQuestions = 1000

// ask reads an execution, or says ErrNotFound.
func (a *asking) ask(ctx context.Context, id string) (backend.Execution, error) {
	told := make(chan answer, 1)
	a.mu.Lock()
	a.waiting = append(a.waiting, question{id, told})
	if !a.running {
		a.running = true
		go a.run()
	}
	a.mu.Unlock()
	select {
	case got := <-told:
		return got.execution, got.err
	case <-ctx.Done():
		return backend.Execution{}, ctx.Err()
	}
}

// run asks until nobody has a question.
func (a *asking) run() {
	stack.Grow()
	for {
		runtime.Gosched() // who was woken by the same change asks now
		asked := a.take()
		if asked == nil {
			return
		}
		a.answer(asked)
	}
}

func (a *asking) take() []question {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) == 0 {
		a.running = false
		return nil
	}
	n := min(len(a.waiting), maxQuestions)
	asked := a.waiting[:n:n]
	a.waiting = a.waiting[n:]
	return asked
}

func (a *asking) answer(asked []question) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	ids := make([]string, len(asked))
	for i, q := range asked {
		ids[i] = q.id
	}
	found, err := a.db.Executions(ctx, backend.ExecutionFilter{IDs: ids})
	for _, q := range asked { // both are in the order of the questions
		switch {
		case err != nil:
			q.answer <- answer{err: err}
		case len(found) > 0 && found[0].ID == q.id:
			q.answer <- answer{execution: found[0]}
			found = found[1:]
		default:
			q.answer <- answer{err: fmt.Errorf("execution %q: %w", q.id, backend.ErrNotFound)}
		}
	}
}
