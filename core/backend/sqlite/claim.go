package sqlite

import (
	"database/sql/driver"
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// candidate is a task that may be claimed.
type candidate struct {
	root    bool
	key     int64
	step    string
	rank    int64
	due     int64
	created int64
}

// lane is where tasks stand that are alike to a claim: of one queue, name, set of tags and priority. A claim looks at
// lanes, not at tasks, so that a million tasks that it must leave cost no more than one.
type lane struct {
	queries laneQueries
	root    bool
	queue   string
	step    string
	tags    string
	rank    int64
	due     int64 // of the first
}

// claimer carries out one claim.
type claimer struct {
	*tx
	c       *backend.Claim
	free    map[string]int // of the steps with a limit: how many more may run
	nextDue int64
	found   []candidate
}

func (t *tx) claim(c *backend.Claim) error {
	c.Tasks, c.More, c.Left, c.NextDue, c.Woken, c.Paused, c.Err = nil, false, nil, -1, nil, nil, nil
	if !t.alive {
		c.Err = backend.ErrLeaseLost
		return nil
	}
	cl := &claimer{tx: t, c: c, nextDue: math.MaxInt64}
	if err := cl.woken(); err != nil || c.OnlyWoken {
		return err
	}
	queues, err := cl.openQueues()
	if err == nil && len(queues) > fewQueues {
		queues, err = cl.usedQueues(queues)
	}
	if err != nil {
		return err
	}
	for _, queue := range queues {
		if err := cl.look(lane{queries: t.q.lanesOfExecutions, root: true, queue: queue}); err != nil {
			return err
		}
		if err := cl.look(lane{queries: t.q.lanesOfTasks, queue: queue}); err != nil {
			return err
		}
	}
	if cl.nextDue != math.MaxInt64 {
		c.NextDue = time.Duration(cl.nextDue-t.now) * time.Microsecond
	}
	return cl.take(cl.choose())
}

func (cl *claimer) woken() error {
	return cl.each(cl.ctx, cl.q.claimWoken, func(r *row) error {
		cl.c.Woken = append(cl.c.Woken, r.text())
		return nil
	}, cl.worker)
}

// fewQueues are so few that a claim just looks into each.
const fewQueues = 4

// usedQueues are those of some queues, in order, that there is anything in: of a thousand mostly a few.
func (cl *claimer) usedQueues(queues []string) ([]string, error) {
	var used []string
	err := cl.each(cl.ctx, cl.q.claimQueues, func(r *row) error {
		if i, found := slices.BinarySearch(queues, r.text()); found {
			used = append(used, queues[i])
		}
		return nil
	})
	return used, err
}

// openQueues are the queues of the claim that are not paused, each once, in order.
func (cl *claimer) openQueues() ([]string, error) {
	open := slices.Clone(cl.c.Queues)
	slices.Sort(open)
	open = slices.Compact(open)
	err := cl.each(cl.ctx, cl.q.claimPaused, func(r *row) error {
		if i, found := slices.BinarySearch(open, r.text()); found {
			cl.c.Paused = append(cl.c.Paused, open[i])
			open = slices.Delete(open, i, i+1)
		}
		return nil
	})
	return open, err
}

// look goes through the lanes of one queue in one table.
func (cl *claimer) look(l lane) error {
	l.rank = math.MinInt64
	for {
		found, err := cl.one(cl.ctx, l.queries.lane, func(r *row) {
			l.step, l.tags, l.rank, l.due = r.text(), r.text(), r.int(), r.int()
		}, l.queue, l.step, l.tags, l.rank)
		if err != nil || !found {
			return err
		}
		if !cl.mayTake(l) {
			l.rank = math.MaxInt64 // on to the next name or tags
			continue
		}
		if err := cl.lookInto(l); err != nil {
			return err
		}
	}
}

// mayTake tells whether the worker has the handler and one of the tags.
func (cl *claimer) mayTake(l lane) bool {
	if !slices.Contains(cl.c.Steps, l.step) {
		return false
	}
	if l.tags == "" {
		return true
	}
	r := row{values: []driver.Value{l.tags}}
	return slices.ContainsFunc(r.list(), func(tag string) bool { return slices.Contains(cl.c.Tags, tag) })
}

// lookInto adds what is due in a lane to what was found, and its next time to the next due.
func (cl *claimer) lookInto(l lane) error {
	if l.due > cl.now {
		cl.nextDue = min(cl.nextDue, l.due)
		return nil
	}
	want := cl.c.Max + 1 // one more tells that there is more
	if !l.root {
		free, err := cl.freeOf(l.step)
		if err != nil {
			return err
		}
		want = min(want, free)
	}
	got := 0
	if want > 0 {
		err := cl.each(cl.ctx, l.queries.due, func(r *row) error {
			got++
			cl.found = append(cl.found, candidate{root: l.root, step: l.step, rank: l.rank, key: r.int(), due: r.int(), created: r.int()})
			return nil
		}, l.queue, l.step, l.tags, l.rank, cl.now, want)
		if err != nil {
			return err
		}
	}
	return cl.each(cl.ctx, l.queries.later, func(r *row) error {
		if later, ok := r.next().(int64); ok {
			cl.nextDue = min(cl.nextDue, later)
		}
		return nil
	}, l.queue, l.step, l.tags, l.rank, cl.now)
}

// freeOf is how many more of an activity may run.
func (cl *claimer) freeOf(step string) (int, error) {
	limit, limited := cl.c.Limits[step]
	if !limited {
		return math.MaxInt, nil
	}
	if free, ok := cl.free[step]; ok {
		return free, nil
	}
	running := 0
	_, err := cl.one(cl.ctx, cl.q.claimRunning, func(r *row) { running = int(r.int()) }, step)
	if cl.free == nil {
		cl.free = map[string]int{}
	}
	cl.free[step] = max(limit-running, 0)
	return cl.free[step], err
}

// choose picks from what was found in the order of the contract.
func (cl *claimer) choose() []candidate {
	sort.SliceStable(cl.found, func(i, j int) bool {
		a, b := cl.found[i], cl.found[j]
		switch {
		case a.rank != b.rank:
			return a.rank < b.rank
		case a.due != b.due:
			return a.due < b.due
		case a.created != b.created:
			return a.created < b.created
		}
		return a.root == b.root && a.key < b.key
	})
	var chosen []candidate
	for _, f := range cl.found {
		if !f.root {
			if free, limited := cl.free[f.step]; limited {
				if free == 0 {
					continue
				}
				cl.free[f.step]--
			}
		}
		if len(chosen) >= cl.c.Max {
			cl.c.More = true
			break
		}
		chosen = append(chosen, f)
	}
	return chosen
}

// take leases the chosen to the worker and reads them.
func (cl *claimer) take(chosen []candidate) error {
	if len(chosen) == 0 {
		return nil
	}
	var roots, tasks []int64
	place := map[candidateKey]int{}
	for i, f := range chosen {
		place[candidateKey{f.root, f.key}] = i
		if f.root {
			roots = append(roots, f.key)
		} else {
			tasks = append(tasks, f.key)
		}
	}
	cl.c.Tasks = make([]backend.Claimed, len(chosen))
	put := func(root bool, key int64, c backend.Claimed) {
		i := place[candidateKey{root, key}]
		c.Due = time.UnixMicro(chosen[i].due).UTC()
		cl.c.Tasks[i] = c
	}
	if err := cl.takeRoots(roots, put); err != nil {
		return err
	}
	return cl.takeTasks(tasks, put)
}

type candidateKey struct {
	root bool
	key  int64
}

func (cl *claimer) takeRoots(numbers []int64, put func(bool, int64, backend.Claimed)) error {
	if len(numbers) == 0 {
		return nil
	}
	keys := keyList(numbers)
	if _, err := cl.one(cl.ctx, cl.q.claimUnstarted, func(r *row) {
		n := r.int()
		cl.tallyMany(backend.Pending, -n)
		cl.tallyMany(backend.Running, n)
	}, keys); err != nil {
		return err
	}
	if _, err := cl.exec(cl.q.claimExecutions, keys, cl.worker, cl.now); err != nil {
		return err
	}
	return cl.readExecutions(cl.ctx, cl.q, numbers, func(n int64, e *backend.Execution, fresh bool) {
		put(true, n, backend.Claimed{Task: rootTask(e), Fresh: fresh, Expiry: cl.until(e.Deadline), Metadata: e.Metadata, Carrier: e.Carrier, Parent: e.Parent, Run: e.Run, Base: e.Base})
	})
}

func (cl *claimer) takeTasks(ids []int64, put func(bool, int64, backend.Claimed)) error {
	if len(ids) == 0 {
		return nil
	}
	keys := keyList(ids)
	if _, err := cl.exec(cl.q.claimTasks, keys, cl.worker, cl.now); err != nil {
		return err
	}
	return cl.each(cl.ctx, cl.q.readTasks, func(r *row) error {
		id := r.int()
		task := scanTask(r)
		put(false, id, backend.Claimed{Task: task, Metadata: r.dict(), Carrier: r.dict()})
		return nil
	}, keys)
}

// keyList is a list of numbers as JSON.
func keyList(keys []int64) string {
	b := []byte{'['}
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, k, 10)
	}
	return string(append(b, ']'))
}

// until is how long it is until a deadline, at least a microsecond; 0 if there is none.
func (t *tx) until(deadline time.Time) time.Duration {
	if deadline.IsZero() {
		return 0
	}
	return max(deadline.Sub(t.time), time.Microsecond)
}
