package core

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// claim asks for as many tasks as there are free slots, and for news of the executions held here. It rides in the next
// transaction, together with whatever else is to be written.
func (w *worker) claim() {
	w.mu.Lock()
	w.wants.all = true
	w.mu.Unlock()
	w.ask()
}

// wants is what the worker's next claim looks for, besides what has happened to the executions held here.
type wants struct {
	all   bool         // that is due
	at    backend.Left // what news tell of; nil for nothing
	woken bool         // also what news tell of
}

// ask makes the claim for what is wanted.
func (w *worker) ask() {
	w.mu.Lock()
	if w.state != backend.WorkerReady {
		w.mu.Unlock()
		return
	}
	if w.claiming > 0 && !w.claimsBeside() {
		w.again = true
		w.mu.Unlock()
		return
	}
	w.claiming++
	w.asked++
	w.mu.Unlock()

	c := &claimRequest{w: w, asked: w.e.clock.Now()}
	c.cmd = backend.Claim{Queues: w.cfg.Queues, Tags: w.cfg.Tags, Steps: w.steps, Limits: w.limits}
	w.e.committer.put(pending{worker: w.id, cmd: &c.cmd, then: c})
}

// claimsBeside tells whether another claim goes while one is under way: where more waits than that one takes, and it would
// bring enough to be worth its while. So the transactions that an engine writes at once all bring work, and none leaves
// slots empty that were freed as it began.
func (w *worker) claimsBeside() bool {
	return w.backlog && w.asked == 0 && w.claiming < w.e.committer.limit && 4*(w.cfg.Slots-w.used) >= w.cfg.Slots
}

// claimRequest is a claim on its way. It takes the slots that are free when its transaction begins, and not when it was asked for:
// meanwhile more become free, or are used without a claim.
type claimRequest struct {
	w     *worker
	cmd   backend.Claim
	asked time.Time
	taken bool
	wants wants
	heard bool      // it answers news
	nth   int       // of the worker's claims, as they begin
	began time.Time // its transaction
}

// begins is called by the committer when the transaction is about to begin, and again where it is put off.
func (c *claimRequest) begins() {
	if c.taken {
		return
	}
	c.taken = true
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.asked--
	c.w.claims++
	c.nth = c.w.claims
	c.wants, c.w.wants = c.w.wants, wants{}
	c.began = c.w.e.clock.Now()
	c.room()
	c.w.used += c.cmd.Max               // nobody else may promise them meanwhile
	c.w.again, c.w.newer = false, false // it sees what there is until now
	c.heard, c.w.crowd.heard = c.w.crowd.heard, false
}

// room decides how much is claimed, and where.
func (c *claimRequest) room() {
	most := max(c.w.cfg.Slots-c.w.used, 0)
	if !c.w.backlog {
		most -= most / 4 // most will not be needed, and what begins here meanwhile has to have one
	}
	switch {
	case c.wants.all:
		if c.w.backlog && c.began.Sub(c.w.left.looked) < lookAnew {
			c.cmd.From = c.w.left.from
		}
		c.cmd.Max = most
	case c.wants.at != nil && most > 0:
		c.cmd.From, c.cmd.Max, c.cmd.OnlyDue = c.wants.at, most, !c.wants.woken
	default:
		c.w.more = c.w.more || c.wants.at != nil // for when there is a slot
		c.cmd.OnlyWoken = true
	}
}

func (c *claimRequest) done(err error) {
	c.w.measureClaim(&c.cmd, c.asked, err)
	if err == nil && c.cmd.Err == nil {
		c.w.answered(c)
	}
	c.w.claimed(c, err)
}

// claimed is called by the committer.
func (w *worker) claimed(c *claimRequest, err error) {
	cmd := &c.cmd
	w.mu.Lock()
	w.claiming--
	if err != nil || cmd.Err != nil {
		if !c.taken {
			w.asked--
		}
		w.used -= cmd.Max
		w.again, w.wants.all, w.more = false, true, w.more || c.wants.at != nil
		w.mu.Unlock()
		return // the lease is gone, or it will be tried at the next tick
	}
	w.used -= cmd.Max - len(cmd.Tasks)
	w.learn(c)
	if len(cmd.Tasks)+len(cmd.Woken) > 0 {
		w.calm.looks = 0
	}
	again := w.again
	w.again = false
	if w.more && w.used < w.cfg.Slots {
		again, w.wants.all = true, true
	}
	for i := range cmd.Tasks {
		w.ranked = w.ranked || cmd.Tasks[i].Priority != 0
	}
	w.mu.Unlock()

	var load []string
	for i := range cmd.Tasks {
		if t := &cmd.Tasks[i]; t.Kind == backend.Orchestrator {
			if r := w.admit(t); r != nil && t.Fresh {
				r.turnSoon()
			} else if r != nil {
				load = append(load, r.info.ExecutionID)
			}
		} else if policy, err := decodePolicy(t.Policy); err != nil {
			w.e.log.Error("task cannot be read and is left alone", "stent_task_id", t.ID, "error", err)
		} else {
			a := &activityTask{
				taskScope: taskScope{info: w.infoOf(t)},
				id:        t.ID, said: t.Detail, token: t.Token, input: t.Input, policy: policy, crashes: t.Crashes, carrier: t.Carrier,
			}
			w.measureClaimed(&a.info, t.Due)
			w.begin(w.ctx, a)
		}
	}
	if len(load) > 0 {
		w.goroutines.Go(func() { w.load(load) })
	}
	if len(cmd.Woken) > 0 {
		w.goroutines.Go(func() { w.hear(cmd.Woken) })
	}
	if cmd.OnlyWoken && len(cmd.Woken) == 0 {
		w.dueIn(lookForLeft)
	}
	if cmd.NextDue >= 0 {
		w.dueIn(max(cmd.NextDue, w.holdOff()))
	}
	if again {
		w.ask()
	}
}

// learn takes in what a claim has seen of what it left. Of several that are under way, in whatever order the database did
// them, only the last to answer may say that nothing is left: none of those before it had seen what has come since. w.mu
// is held.
func (w *worker) learn(c *claimRequest) {
	others, some := w.claiming > 0, c.cmd.From != nil // it may not have seen all
	if !c.wants.all {
		w.more = w.more || c.cmd.More
		w.newer = w.newer && others
		return
	}
	w.backlog = c.cmd.More || others && w.backlog
	w.more = c.cmd.More || some || w.newer || others && w.more
	w.left.from = c.cmd.Left
	if !some {
		w.left.looked = c.began
	}
	if w.newer && w.ranked {
		w.left = left{} // it may come before what is left
	}
	w.newer = w.newer && others
	if c.nth > w.pausedBy {
		w.paused, w.pausedBy = c.cmd.Paused, c.nth
	}
}

// left is where the worker's claims go on while a backlog is worked off.
type left struct {
	from   backend.Left
	looked time.Time // for all that is due, the last time
}

// lookForLeft is when a worker that was told of something woken, and holds nothing of that kind, looks whether it has given it
// back meanwhile, and it is due. Mostly an earlier claim has told of it already.
const lookForLeft = 20 * time.Millisecond

// lookAnew is how long claims go on from where the last one has left tasks, before one looks for all that is due.
const lookAnew = 100 * time.Millisecond

func (w *worker) infoOf(t *backend.Claimed) TaskInfo {
	info := TaskInfo{
		ExecutionID: t.ID.Execution, TaskID: t.ID.String(), WorkerID: w.id, Workflow: t.Workflow,
		Step: t.Step, Kind: t.Kind, Queue: t.Queue, Attempt: t.Attempt, Run: t.Run,
	}
	if t.Parent != nil {
		info.ParentID = t.Parent.Execution
	}
	return info
}

// admit makes room for an execution whose orchestrator was claimed. Its first turn is still to come.
func (w *worker) admit(t *backend.Claimed) *run {
	r := w.newRun(t)
	if r == nil {
		return nil
	}
	r.measureAdmitted(t.Due)
	w.mu.Lock()
	if x := w.rejected[t.ID.Execution]; x.token+1 == t.Token {
		r.rejected = x.err
	}
	delete(w.rejected, t.ID.Execution)
	w.runs[t.ID.Execution] = r
	w.mu.Unlock()
	if t.Expiry > 0 {
		w.expireIn(t.Expiry)
	}
	return r
}

// newRun makes a run of an orchestrator, or says why it cannot and returns nil.
func (w *worker) newRun(t *backend.Claimed) *run {
	policy, err := decodePolicy(t.Policy)
	if err != nil {
		w.e.log.Error("execution cannot be read and is left alone", "stent_execution_id", t.ID.Execution, "error", err)
		return nil
	}
	if len(t.Policy) == 0 {
		policy.retry = once
	}
	h, _ := w.e.handler(t.Step)
	warn, most := w.e.historyWarn, w.e.historyMax
	if h.callee != nil && h.callee.settings.historyMax > 0 {
		warn, most = h.callee.settings.historyWarn, h.callee.settings.historyMax
	}
	return &run{
		w: w, info: w.infoOf(t), token: t.Token, attempt: t.Attempt, crashes: t.Crashes, policy: policy,
		input: t.Input, priority: t.Priority, number: t.Run, base: t.Base, parent: t.Parent, carrier: t.Carrier, metadata: t.Metadata, warn: warn, most: most,
		created: t.Created, started: t.Started,
		handler: h, slot: true, busy: true, loaded: t.Fresh,
		baton: make(chan struct{}),
	}
}

// submit queues a command that stands on the worker's lease.
func (w *worker) submit(cmd backend.Command, done func(error)) { w.e.committer.submit(w.id, cmd, done) }

// due is called when there may be something to claim. Without a free slot it waits for one.
func (w *worker) due(priority int) {
	w.mu.Lock()
	w.more = true
	w.newer = w.claiming > 0 // which may have looked before
	w.crowd.heard = true
	if priority != 0 {
		w.ranked, w.left = true, left{} // it may come before what is left
	}
	w.mu.Unlock()
	w.refill()
}

// dueIn makes the worker look when something will be due.
func (w *worker) dueIn(d time.Duration) {
	at := w.e.clock.Now().Add(d)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dueTimer != nil {
		if !w.dueAt.After(at) {
			return
		}
		w.dueTimer.Stop()
	}
	w.dueAt = at
	w.dueTimer = w.e.clock.AfterFunc(d, func() {
		w.mu.Lock()
		w.dueTimer = nil
		w.mu.Unlock()
		w.due(0)
	})
}

// release gives a slot back; refill, later, has it used again. Between the two the turn that follows an activity takes
// the slot for the next one.
func (w *worker) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used--
}

func (w *worker) refill() {
	w.mu.Lock()
	want := w.more && w.used < w.cfg.Slots
	w.mu.Unlock()
	if want {
		w.claim()
	}
}

// mayBegin takes a slot for a new activity that need not go through its queue: this worker would be allowed to claim
// it, and, where priorities are in use, nothing of higher priority is known to wait.
func (w *worker) mayBegin(a *backend.Add) bool {
	if !w.serves(a.Queue) || !slices.Contains(w.steps, a.Step) || w.limits[a.Step] > 0 || !w.tagged(a.Tags) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != backend.WorkerReady || w.used >= w.cfg.Slots || w.ranked && w.more || slices.Contains(w.paused, a.Queue) {
		return false
	}
	w.used++
	return true
}

func (w *worker) tagged(tags []string) bool {
	return len(tags) == 0 || slices.ContainsFunc(tags, func(t string) bool { return slices.Contains(w.cfg.Tags, t) })
}

// ready tells whether the worker claims.
func (w *worker) ready() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state == backend.WorkerReady
}

// crowded tells a waiting workflow to leave memory.
func (w *worker) crowded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state != backend.WorkerReady || len(w.runs) > w.cfg.MaxResident
}

func (w *worker) forget(r *run) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.runs[r.info.ExecutionID] == r {
		delete(w.runs, r.info.ExecutionID)
		w.fewer.Broadcast()
	}
	if r.slot {
		r.slot = false
		w.used--
	}
}

// closed is called when an execution has ended here.
func (w *worker) closed(r *run, t *backend.Turn) {
	end, cause := ending{workflow: r.info.Workflow, state: t.State}, ErrExecutionEnded
	switch t.State {
	case backend.Completed:
		end.result = t.Close.Result
	case backend.Cancelled:
		cause = ErrCancelled
	default:
		end.failure, end.cause = t.Close.Failure, t.Close.Cause
	}
	w.e.waits.ended(r.info.ExecutionID, end)
	w.cancelActivities(r.info.ExecutionID, cause)
	if r.parent != nil {
		w.e.woke()
	}
	w.logEnd(r, t)
	r.endedHere(t)
}

func (w *worker) logEnd(r *run, t *backend.Turn) {
	failed := t.Close.Failure != nil && t.State == backend.Failed
	if !failed && !w.e.log.Enabled(r.context(), levelTask) {
		return
	}
	attrs := []any{"stent_execution_id", r.info.ExecutionID, "stent_worker_id", w.id, "workflow", r.info.Workflow, "state", t.State}
	if failed {
		w.e.log.ErrorContext(r.context(), "execution failed", append(attrs, "error", t.Close.Failure.Message)...)
	} else {
		w.e.log.Log(r.context(), levelTask, "execution ended", attrs...)
	}
}

// refused counts what the fencing has kept out. What was given up with the lease is told once, with the lease.
func (w *worker) refused(ctx context.Context, execution string, err error) {
	w.measureFenced(execution, err)
	if errors.Is(err, errGivenUp) {
		w.e.log.DebugContext(ctx, "the result of a turn was given up with the lease; what it belongs to goes on elsewhere",
			"stent_execution_id", execution, "stent_worker_id", w.id, "error", err)
		return
	}
	w.e.log.WarnContext(ctx, "the result of a turn was refused; what it belongs to goes on elsewhere",
		"stent_execution_id", execution, "stent_worker_id", w.id, "error", err)
}

func joined(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
