package statsd

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
	"github.com/stentgo/stent/recorder/gauges"
)

var _ core.MetricsRecorder = (*Recorder)(nil)

// Recorder sends durations as they come, many to a packet, and what it has counted every 300 ms. It is safe for concurrent use,
// and several engines can share it.
type Recorder struct {
	core.NopRecorder

	sender statsd.Sender
	paths  paths
	budget *budget.Budget

	writing sync.Mutex
	line    []byte // used again for each line, under writing
	timing  string // what ends the value of a timing

	tasks     *budget.Cache[task]
	workflows *budget.Cache[workflow]
	queues    *budget.Cache[queue]
	results   *budget.Cache[result]
	dropped   *budget.Cache[count]
	ended     *budget.Cache[count]
	failed    *budget.Cache[count]
	single    single

	closing func()
	flushed chan struct{} // closed when the last counts are sent

	mu      sync.Mutex
	sources []core.MetricsSource
	counts  []*count // all that there are
	folded  map[string]int64
	sent    map[stat]bool // sampled gauges with labels
}

// count is what was counted since it was sent last.
type count struct {
	n  atomic.Int64
	at *stat
}

type task struct {
	claimed, completed, retrying, failed, dead, poisoned *count
	duration                                             *stat
}

type workflow struct {
	started  *count
	duration *stat
}

type queue struct {
	scheduleToStart                *stat
	takeovers, replayed, discarded *count
}

type result struct{ renewals, claims *count }

type single struct {
	fenced                                   *count
	claimDuration, commitDuration, batchSize *stat
}

func newRecorder(sender statsd.Sender, p paths, b *budget.Budget) *Recorder {
	r := &Recorder{sender: sender, paths: p, budget: b, folded: map[string]int64{}, sent: map[stat]bool{}, flushed: make(chan struct{})}
	if r.timing = "|ms"; p.rate < 1 {
		r.timing += "|@" + strconv.FormatFloat(float64(p.rate), 'f', -1, 32)
	}
	r.tasks = budget.NewCache(b, [3]string{metrics.LabelQueue, metrics.LabelStep}, func(queue, step, kind string) *task {
		return &task{
			claimed:   r.count(metrics.TasksClaimed, queue, step, kind),
			completed: r.count(metrics.TasksCompleted, queue, step, kind),
			duration:  p.of(metrics.TaskDuration, queue, step),
			retrying:  r.count(metrics.TasksFailed, queue, step, "true"),
			failed:    r.count(metrics.TasksFailed, queue, step, "false"),
			dead:      r.count(metrics.DeadLettersMoved, queue, step),
			poisoned:  r.count(metrics.TasksPoisoned, queue, step),
		}
	})
	r.workflows = budget.NewCache(b, [3]string{metrics.LabelWorkflow}, func(name, _, _ string) *workflow {
		return &workflow{r.count(metrics.ExecutionsStarted, name), p.of(metrics.ExecutionDuration, name)}
	})
	r.ended = budget.NewCache(b, [3]string{metrics.LabelWorkflow}, func(name, state, _ string) *count {
		return r.count(metrics.ExecutionsFinished, name, state)
	})
	r.queues = budget.NewCache(b, [3]string{metrics.LabelQueue}, func(name, _, _ string) *queue {
		return &queue{
			p.of(metrics.ScheduleToStart, name), r.count(metrics.LeaseTakeovers, name),
			r.count(metrics.DeadLettersReplayed, name), r.count(metrics.DeadLettersDiscarded, name),
		}
	})
	r.results = budget.NewCache(b, [3]string{}, func(value, _, _ string) *result {
		return &result{r.count(metrics.LeaseRenewals, value), r.count(metrics.ClaimsMade, value)}
	})
	r.dropped = budget.NewCache(b, [3]string{}, func(reason, _, _ string) *count { return r.count(metrics.EventsDropped, reason) })
	r.failed = budget.NewCache(b, [3]string{}, func(operation, fault, _ string) *count {
		return r.count(metrics.BackendErrors, operation, fault)
	})
	r.single = single{r.count(metrics.FencedWrites), p.of(metrics.ClaimDuration), p.of(metrics.CommitDuration), p.of(metrics.CommitBatchSize)}
	closing := make(chan struct{})
	r.closing = sync.OnceFunc(func() { close(closing) })
	go r.flush(closing)
	return r
}

// count makes a counter of a metric for its labels' values.
func (r *Recorder) count(m metrics.Metric, values ...string) *count {
	c := &count{at: r.paths.of(m, values...)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts = append(r.counts, c)
	return c
}

// flush sends what was counted, from time to time and at the end.
func (r *Recorder) flush(closing <-chan struct{}) {
	defer close(r.flushed)
	tick := time.NewTicker(r.paths.interval)
	defer tick.Stop()
	for open := true; open; {
		select {
		case <-tick.C:
		case <-closing:
			open = false
		}
		r.mu.Lock()
		counts := r.counts
		r.mu.Unlock()
		for _, c := range counts {
			if n := c.n.Swap(0); n > 0 {
				r.add(c.at, n)
			}
		}
	}
}

// Close sends what is left and ends the recorder; what is told after it is lost.
func (r *Recorder) Close() error {
	r.closing()
	<-r.flushed
	if err := r.sender.Close(); err != nil {
		return errors.Join(errors.New("statsd recorder: close"), err)
	}
	return nil
}

// add sends a change of a counter.
func (r *Recorder) add(s *stat, n int64) {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.send(s, strconv.AppendInt(r.begin(s), n, 10), "|c")
}

// time sends a duration.
func (r *Recorder) time(s *stat, d time.Duration) {
	if r.skips() {
		return
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	r.send(s, appendMillis(r.begin(s), d), r.timing)
}

// size sends a number of which the distribution is of interest. StatsD has none but that of timings.
func (r *Recorder) size(s *stat, n int) {
	if r.skips() {
		return
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	r.send(s, strconv.AppendInt(r.begin(s), int64(n), 10), r.timing)
}

// skips tells whether a timing is left out, by the sampling rate.
func (r *Recorder) skips() bool { return r.paths.rate < 1 && rand.Float32() >= r.paths.rate }

// begin begins a line. writing is held.
func (r *Recorder) begin(s *stat) []byte { return append(r.line[:0], s.head...) }

// send ends a line and sends it. What the sender says is of no use to anybody: UDP does not know whether it arrived.
func (r *Recorder) send(s *stat, line []byte, kind string) {
	line = append(append(line, kind...), s.tail...)
	_, _ = r.sender.Send(line)
	r.line = line
}

// appendMillis appends a duration in milliseconds, and all of it: one that is rounded would be counted in the bucket below
// its own where it is just longer than that. strconv takes three times as long to find the fewest digits of a fraction.
func appendMillis(line []byte, d time.Duration) []byte {
	ns := d.Nanoseconds()
	if ns < 0 {
		line, ns = append(line, '-'), -ns
	}
	line = strconv.AppendInt(line, ns/1e6, 10)
	part := ns % 1e6
	if part > 0 {
		line = append(line, '.')
	}
	for scale := int64(1e5); part > 0; scale /= 10 {
		line = append(line, byte('0'+part/scale))
		part %= scale
	}
	return line
}

// TaskClaimed counts the task and how long it waited.
func (r *Recorder) TaskClaimed(_ context.Context, e core.TaskClaimed) {
	r.tasks.Get(e.Queue, e.Step, string(e.Kind)).claimed.n.Add(1)
	r.time(r.queues.Get(e.Queue, "", "").scheduleToStart, e.ScheduleToStart)
}

// TaskCompleted counts the task and how long it took.
func (r *Recorder) TaskCompleted(_ context.Context, e core.TaskCompleted) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	t.completed.n.Add(1)
	r.time(t.duration, e.Duration)
}

// TaskFailed counts the attempt.
func (r *Recorder) TaskFailed(_ context.Context, e core.TaskFailed) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	if e.Retrying {
		t.retrying.n.Add(1)
	} else {
		t.failed.n.Add(1)
	}
}

// DeadLettered counts the dead letter.
func (r *Recorder) DeadLettered(_ context.Context, e core.DeadLettered) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	t.dead.n.Add(1)
	if e.Poisoned {
		t.poisoned.n.Add(1)
	}
}

// LeaseRenewed counts the heartbeat.
func (r *Recorder) LeaseRenewed(_ context.Context, e core.LeaseRenewed) {
	r.results.Get(string(e.Result), "", "").renewals.n.Add(1)
}

// LeaseTakenOver counts the task.
func (r *Recorder) LeaseTakenOver(_ context.Context, e core.LeaseTakenOver) {
	r.queues.Get(e.Queue, "", "").takeovers.n.Add(1)
}

// WriteFenced counts the write.
func (r *Recorder) WriteFenced(context.Context, core.WriteFenced) { r.single.fenced.n.Add(1) }

// ExecutionStarted counts the execution.
func (r *Recorder) ExecutionStarted(_ context.Context, e core.ExecutionStarted) {
	r.workflows.Get(e.Workflow, "", "").started.n.Add(1)
}

// ExecutionFinished counts the execution and how long it took.
func (r *Recorder) ExecutionFinished(_ context.Context, e core.ExecutionFinished) {
	r.ended.Get(e.Workflow, string(e.State), "").n.Add(1)
	r.time(r.workflows.Get(e.Workflow, "", "").duration, e.Duration)
}

// DeadLetterReplayed counts the dead letter.
func (r *Recorder) DeadLetterReplayed(_ context.Context, e core.DeadLetterReplayed) {
	r.queues.Get(e.Queue, "", "").replayed.n.Add(1)
}

// DeadLetterDiscarded counts the dead letter.
func (r *Recorder) DeadLetterDiscarded(_ context.Context, e core.DeadLetterDiscarded) {
	r.queues.Get(e.Queue, "", "").discarded.n.Add(1)
}

// ClaimEnded counts the question and how long its answer took.
func (r *Recorder) ClaimEnded(_ context.Context, e core.ClaimEnded) {
	r.results.Get(string(e.Result), "", "").claims.n.Add(1)
	r.time(r.single.claimDuration, e.Duration)
}

// BatchCommitted counts the transaction.
func (r *Recorder) BatchCommitted(_ context.Context, e core.BatchCommitted) {
	r.time(r.single.commitDuration, e.Duration)
	r.size(r.single.batchSize, e.Commands)
}

// BackendFailed counts the error.
func (r *Recorder) BackendFailed(_ context.Context, e core.BackendFailed) {
	r.failed.Get(e.Operation, string(e.Fault), "").n.Add(1)
}

// EventsDropped counts what this recorder was not told.
func (r *Recorder) EventsDropped(_ context.Context, e core.EventsDropped) {
	r.dropped.Get(string(e.Reason), "", "").n.Add(int64(e.Events))
}

// Attach lets the recorder ask how an engine stands. [core.New] calls it.
func (r *Recorder) Attach(source core.MetricsSource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(r.sources, source)
}

// Sampled sends all gauges. A server keeps a gauge until it hears another value, so a queue that is gone is sent as 0
// once.
func (r *Recorder) Sampled(_ context.Context, s *core.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stand := make([]core.ProcessGauges, len(r.sources))
	var known []core.KnownTask
	for i, source := range r.sources {
		stand[i] = source.ProcessGauges()
		known = append(known, source.KnownTasks()...)
	}
	for _, v := range append(gauges.Process(stand...), gauges.Objectives(known, r.budget)...) {
		r.gauge(r.paths.of(v.Metric, v.Labels...), v.Value)
	}
	now := map[stat]bool{}
	for _, v := range gauges.Sampled(s, r.budget) {
		at := r.paths.of(v.Metric, v.Labels...)
		r.gauge(at, v.Value)
		if len(v.Labels) > 0 {
			now[*at] = true
		}
	}
	if s.Err == nil {
		for gone := range r.sent {
			if !now[gone] {
				r.gauge(&gone, 0)
			}
		}
		r.sent = now
	}
	r.budget.Folded(func(label string, values int64) {
		if more := values - r.folded[label]; more > 0 {
			r.folded[label] = values
			r.add(r.paths.of(metrics.LabelValuesFolded, label), more)
		}
	})
}

// gauge sets a gauge. A sign makes a change of it, so a negative value is set by way of 0.
func (r *Recorder) gauge(s *stat, value float64) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if value < 0 {
		r.send(s, append(r.begin(s), '0'), "|g")
	}
	r.send(s, strconv.AppendFloat(r.begin(s), value, 'f', -1, 64), "|g")
}

func harmless(r rune) bool {
	return r == '-' || r == '_' || r < unicode.MaxASCII && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') ||
		r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
