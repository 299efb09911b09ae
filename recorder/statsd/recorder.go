package statsd

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
	"unicode"

	"github.com/cactus/go-statsd-client/v5/statsd"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
	"github.com/stentgo/stent/recorder/gauges"
)

var _ core.MetricsRecorder = (*Recorder)(nil)

// Recorder sends events as they come, many to a packet. It is safe for concurrent use, and several engines can share it.
type Recorder struct {
	core.NopRecorder

	sender statsd.Sender
	paths  paths
	budget *budget.Budget

	writing sync.Mutex
	line    []byte // used again for each line, under writing

	tasks     *budget.Cache[task]
	workflows *budget.Cache[workflow]
	queues    *budget.Cache[queue]
	results   *budget.Cache[result]
	dropped   *budget.Cache[stat]
	ended     *budget.Cache[stat]
	failed    *budget.Cache[stat]
	single    single

	mu      sync.Mutex
	sources []core.MetricsSource
	folded  map[string]int64
	sent    map[stat]bool // sampled gauges with labels
}

type task struct{ claimed, completed, duration, retrying, failed, dead, poisoned *stat }
type workflow struct{ started, duration *stat }
type queue struct{ scheduleToStart, takeovers, replayed, discarded *stat }
type result struct{ renewals, claims *stat }
type single struct{ fenced, claimDuration, commitDuration, batchSize *stat }

func newRecorder(sender statsd.Sender, p paths, b *budget.Budget) *Recorder {
	r := &Recorder{sender: sender, paths: p, budget: b, folded: map[string]int64{}, sent: map[stat]bool{}}
	r.tasks = budget.NewCache(b, [3]string{metrics.LabelQueue, metrics.LabelStep}, func(queue, step, kind string) *task {
		return &task{
			claimed:   p.of(metrics.TasksClaimed, queue, step, kind),
			completed: p.of(metrics.TasksCompleted, queue, step, kind),
			duration:  p.of(metrics.TaskDuration, queue, step),
			retrying:  p.of(metrics.TasksFailed, queue, step, "true"),
			failed:    p.of(metrics.TasksFailed, queue, step, "false"),
			dead:      p.of(metrics.DeadLettersMoved, queue, step),
			poisoned:  p.of(metrics.TasksPoisoned, queue, step),
		}
	})
	r.workflows = budget.NewCache(b, [3]string{metrics.LabelWorkflow}, func(name, _, _ string) *workflow {
		return &workflow{p.of(metrics.ExecutionsStarted, name), p.of(metrics.ExecutionDuration, name)}
	})
	r.ended = budget.NewCache(b, [3]string{metrics.LabelWorkflow}, func(name, state, _ string) *stat {
		return p.of(metrics.ExecutionsFinished, name, state)
	})
	r.queues = budget.NewCache(b, [3]string{metrics.LabelQueue}, func(name, _, _ string) *queue {
		return &queue{
			p.of(metrics.ScheduleToStart, name), p.of(metrics.LeaseTakeovers, name),
			p.of(metrics.DeadLettersReplayed, name), p.of(metrics.DeadLettersDiscarded, name),
		}
	})
	r.results = budget.NewCache(b, [3]string{}, func(value, _, _ string) *result {
		return &result{p.of(metrics.LeaseRenewals, value), p.of(metrics.ClaimsMade, value)}
	})
	r.dropped = budget.NewCache(b, [3]string{}, func(reason, _, _ string) *stat { return p.of(metrics.EventsDropped, reason) })
	r.failed = budget.NewCache(b, [3]string{}, func(operation, fault, _ string) *stat {
		return p.of(metrics.BackendErrors, operation, fault)
	})
	r.single = single{p.of(metrics.FencedWrites), p.of(metrics.ClaimDuration), p.of(metrics.CommitDuration), p.of(metrics.CommitBatchSize)}
	return r
}

// Close sends what is left and ends the recorder; what is told after it is lost.
func (r *Recorder) Close() error {
	if err := r.sender.Close(); err != nil {
		return errors.Join(errors.New("statsd recorder: close"), err)
	}
	return nil
}

// count sends a counter. What the sender says is of no use to anybody: UDP does not know whether it arrived.
func (r *Recorder) count(s *stat, n int64) { r.send(s, 0, n, "|c", true) }

func (r *Recorder) time(s *stat, d time.Duration) {
	r.send(s, float64(d)/float64(time.Millisecond), 0, "|ms", true)
}

// send writes one line: a whole number if there is one, else a fraction.
func (r *Recorder) send(s *stat, fraction float64, whole int64, kind string, sampled bool) {
	rate := r.paths.rate
	if sampled && rate < 1 && rand.Float32() >= rate {
		return
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	line := append(r.line[:0], s.head...)
	if kind == "|c" {
		line = strconv.AppendInt(line, whole, 10)
	} else {
		line = strconv.AppendFloat(line, fraction, 'f', -1, 64)
	}
	line = append(line, kind...)
	if sampled && rate < 1 {
		line = append(line, "|@"...)
		line = strconv.AppendFloat(line, float64(rate), 'f', -1, 32)
	}
	line = append(line, s.tail...)
	_, _ = r.sender.Send(line)
	r.line = line
}

// TaskClaimed counts the task and how long it waited.
func (r *Recorder) TaskClaimed(_ context.Context, e core.TaskClaimed) {
	r.count(r.tasks.Get(e.Queue, e.Step, string(e.Kind)).claimed, 1)
	r.time(r.queues.Get(e.Queue, "", "").scheduleToStart, e.ScheduleToStart)
}

// TaskCompleted counts the task and how long it took.
func (r *Recorder) TaskCompleted(_ context.Context, e core.TaskCompleted) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	r.count(t.completed, 1)
	r.time(t.duration, e.Duration)
}

// TaskFailed counts the attempt.
func (r *Recorder) TaskFailed(_ context.Context, e core.TaskFailed) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	if e.Retrying {
		r.count(t.retrying, 1)
	} else {
		r.count(t.failed, 1)
	}
}

// DeadLettered counts the dead letter.
func (r *Recorder) DeadLettered(_ context.Context, e core.DeadLettered) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	r.count(t.dead, 1)
	if e.Poisoned {
		r.count(t.poisoned, 1)
	}
}

// LeaseRenewed counts the heartbeat.
func (r *Recorder) LeaseRenewed(_ context.Context, e core.LeaseRenewed) {
	r.count(r.results.Get(string(e.Result), "", "").renewals, 1)
}

// LeaseTakenOver counts the task.
func (r *Recorder) LeaseTakenOver(_ context.Context, e core.LeaseTakenOver) {
	r.count(r.queues.Get(e.Queue, "", "").takeovers, 1)
}

// WriteFenced counts the write.
func (r *Recorder) WriteFenced(context.Context, core.WriteFenced) { r.count(r.single.fenced, 1) }

// ExecutionStarted counts the execution.
func (r *Recorder) ExecutionStarted(_ context.Context, e core.ExecutionStarted) {
	r.count(r.workflows.Get(e.Workflow, "", "").started, 1)
}

// ExecutionFinished counts the execution and how long it took.
func (r *Recorder) ExecutionFinished(_ context.Context, e core.ExecutionFinished) {
	r.count(r.ended.Get(e.Workflow, string(e.State), ""), 1)
	r.time(r.workflows.Get(e.Workflow, "", "").duration, e.Duration)
}

// DeadLetterReplayed counts the dead letter.
func (r *Recorder) DeadLetterReplayed(_ context.Context, e core.DeadLetterReplayed) {
	r.count(r.queues.Get(e.Queue, "", "").replayed, 1)
}

// DeadLetterDiscarded counts the dead letter.
func (r *Recorder) DeadLetterDiscarded(_ context.Context, e core.DeadLetterDiscarded) {
	r.count(r.queues.Get(e.Queue, "", "").discarded, 1)
}

// ClaimEnded counts the question and how long its answer took.
func (r *Recorder) ClaimEnded(_ context.Context, e core.ClaimEnded) {
	r.count(r.results.Get(string(e.Result), "", "").claims, 1)
	r.time(r.single.claimDuration, e.Duration)
}

// BatchCommitted counts the transaction. Its size goes as a timing, since StatsD has no other distribution.
func (r *Recorder) BatchCommitted(_ context.Context, e core.BatchCommitted) {
	r.time(r.single.commitDuration, e.Duration)
	r.send(r.single.batchSize, float64(e.Commands), 0, "|ms", true)
}

// BackendFailed counts the error.
func (r *Recorder) BackendFailed(_ context.Context, e core.BackendFailed) {
	r.count(r.failed.Get(e.Operation, string(e.Fault), ""), 1)
}

// EventsDropped counts what this recorder was not told.
func (r *Recorder) EventsDropped(_ context.Context, e core.EventsDropped) {
	r.count(r.dropped.Get(string(e.Reason), "", ""), int64(e.Events))
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
			r.count(r.paths.of(metrics.LabelValuesFolded, label), more)
		}
	})
}

// gauge sets a gauge. A sign makes a change of it, so a negative value is set by way of 0.
func (r *Recorder) gauge(s *stat, value float64) {
	if value < 0 {
		r.send(s, 0, 0, "|g", false)
	}
	r.send(s, value, 0, "|g", false)
}

func harmless(r rune) bool {
	return r == '-' || r == '_' || r < unicode.MaxASCII && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') ||
		r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
