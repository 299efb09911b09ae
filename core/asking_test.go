package core

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stentgo/stent/core/backend"
)

// slowReader answers the first query when it may.
type slowReader struct {
	backend.Inspector
	may     chan struct{}
	queries [][]string
}

func (r *slowReader) Executions(_ context.Context, f backend.ExecutionFilter) (all []backend.Execution, err error) {
	r.queries = append(r.queries, f.IDs)
	<-r.may
	for _, id := range f.IDs {
		if id != "nowhere" {
			all = append(all, backend.Execution{ID: id})
		}
	}
	return all, nil
}

// A change wakes everybody who waits for an execution of another process; the database must not have a query from each.
func TestWaitsShareAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := &slowReader{may: make(chan struct{})}
		a := asking{db: reader}
		ask := func(id string) {
			go func() {
				x, err := a.ask(t.Context(), id)
				if id == "nowhere" {
					if !errors.Is(err, backend.ErrNotFound) {
						t.Errorf("nowhere: %v, want ErrNotFound", err)
					}
				} else if err != nil || x.ID != id {
					t.Errorf("%s: read %q, %v", id, x.ID, err)
				}
			}()
		}
		ask("first")
		synctest.Wait() // its query is under way
		for i := range 50 {
			ask(fmt.Sprint(i))
			ask(fmt.Sprint(i)) // two that wait for the same
		}
		ask("nowhere")
		synctest.Wait()
		close(reader.may)
		synctest.Wait()
		if len(reader.queries) != 2 {
			t.Errorf("%d queries for 102 questions, of which 101 came while the first was asked: want 2", len(reader.queries))
		}
	})
}

// Who no longer waits is not held up by a query that is.
func TestWaitEndsWithItsContext(t *testing.T) {
	reader := &slowReader{may: make(chan struct{})}
	defer close(reader.may)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := asking{db: reader}
	if _, err := a.ask(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}
