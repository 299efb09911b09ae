//go:build scale

package stent_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Measurements at full size, which take minutes: `make measure-scale`. They print figures and hold no limit but the plain
// ones.

// atScale has a story for as many executions as STENT_SCALE says, a million unless it does.
func atScale(t *testing.T, story func(w *world, n int)) {
	t.Helper()
	n := int(numberFromEnv(t, "STENT_SCALE", 1_000_000))
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) { story(&world{T: t, backend: b.name, address: b.fresh(t), dial: b.dial}, n) })
	}
}

// fill starts n executions.
func fill(p *program, wf *core.Workflow[int, int], n int) {
	p.w.Helper()
	const batch = 5000
	inputs := make([]core.Input[int], batch)
	for done := 0; done < n; done += batch {
		if _, err := wf.StartMany(p.w.ctx(), p.Engine, inputs[:min(batch, n-done)]); err != nil {
			p.w.Fatal(err)
		}
	}
}

// resident is the memory of this process, of which the heap in use.
func resident(t *testing.T) (rss, heap float64) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS:") {
			_, _ = fmt.Sscanf(line, "VmRSS: %f", &rss)
		}
	}
	return rss / 1024, float64(m.HeapInuse) / (1 << 20)
}

// spread is the median, the 99th percentile and the longest of some times.
func spread(took []time.Duration) string {
	slices.Sort(took)
	return fmt.Sprintf("p50 %v, p99 %v, longest %v of %d", took[len(took)/2].Round(time.Microsecond), took[len(took)*99/100].Round(time.Microsecond),
		took[len(took)-1].Round(time.Microsecond), len(took))
}

// claims measures claims that find nothing, and claims that find one execution.
func (p *program) claims(worker string, rounds int) (empty, full []time.Duration) {
	p.w.Helper()
	if _, err := p.db.Register(p.w.ctx(), backend.Worker{ID: worker, State: backend.WorkerReady, Queues: []string{"default"}}, time.Hour); err != nil {
		p.w.Fatal(err)
	}
	commit := func(c backend.Command) time.Duration {
		began := time.Now()
		if err := p.db.Commit(p.w.ctx(), &backend.Batch{Worker: worker, Commands: []backend.Command{c}}); err != nil {
			p.w.Fatal(err)
		}
		return time.Since(began)
	}
	for i := range rounds {
		claim := func() *backend.Claim {
			return &backend.Claim{Queues: []string{"default"}, Steps: []string{"asleep", "probed"}, Max: 10}
		}
		c := claim()
		empty = append(empty, commit(c))
		commit(&backend.Start{ID: fmt.Sprint(worker, "-", i), Workflow: "probed", Queue: "default"})
		c = claim()
		full = append(full, commit(c))
		if len(c.Tasks) != 1 {
			p.w.Fatalf("%d tasks were claimed", len(c.Tasks))
		}
		commit(&backend.Turn{Execution: c.Tasks[0].ID.Execution, Token: c.Tasks[0].Token, Close: &backend.Close{State: backend.Completed}})
	}
	return empty, full
}

func TestMeasureSleepers(t *testing.T) {
	asleep := core.NewWorkflow[int, int]("asleep")
	atScale(t, func(w *world, n int) {
		p := w.program(asleep.Handle(func(flow *core.Flow, in int) (int, error) { return in, flow.Sleep(30 * 24 * time.Hour) }))
		p.serve(core.WorkerConfig{PollInterval: time.Second})
		empty, full := p.claims("before", 500) // beside the worker, as later
		w.Logf("claims on an empty database: of nothing %s; of one %s", spread(empty), spread(full))
		rss, heap := resident(w.T)
		w.Logf("an idle worker: %.0f MiB resident, %.1f MiB heap, %d goroutines", rss, heap, runtime.NumGoroutine())
		began := time.Now()
		fill(p, asleep, n)
		w.Logf("%d were started in %v", n, time.Since(began).Round(time.Second))
		for peak := 0.0; ; <-time.After(time.Second) {
			stats, err := p.db.Stats(w.ctx())
			if err != nil {
				w.Fatal(err)
			}
			now, _ := resident(w.T)
			if peak = max(peak, now); len(stats.Queues) == 1 && stats.Queues[0].Scheduled == int64(n) && stats.Queues[0].Running == 0 {
				w.Logf("all sleep after %v; at most %.0f MiB resident", time.Since(began).Round(time.Second), peak)
				break
			}
		}
		rss, heap = resident(w.T)
		w.Logf("beside %d sleepers the worker has %.0f MiB resident, %.1f MiB heap, %d goroutines", n, rss, heap, runtime.NumGoroutine())
		empty, full = p.claims("after", 500)
		w.Logf("claims beside %d sleepers: of nothing %s; of one %s", n, spread(empty), spread(full))
	})
}

func TestMeasureRetention(t *testing.T) {
	over := core.NewWorkflow[int, int]("over")
	atScale(t, func(w *world, n int) {
		p := w.program(over.Handle(func(_ *core.Flow, in int) (int, error) { return in, nil })).serve(core.WorkerConfig{})
		began := time.Now()
		fill(p, over, n)
		for {
			stats, err := p.db.Stats(w.ctx())
			if err != nil {
				w.Fatal(err)
			}
			if stats.Executions[backend.Completed] >= int64(n) {
				break
			}
			<-time.After(time.Second)
		}
		w.Logf("%d began and ended in %v", n, time.Since(began).Round(time.Second))

		// While it is deleted, another program starts and claims, one after the other.
		probe := w.program()
		stop, probed := make(chan struct{}), make(chan []time.Duration, 1)
		go func() {
			var took []time.Duration
			for i := 0; ; i++ {
				select {
				case <-stop:
					probed <- took
					return
				default:
				}
				began := time.Now()
				s := &backend.Start{ID: fmt.Sprint("probe-", i), Workflow: "over", Queue: "default"}
				if err := probe.db.Commit(w.ctx(), &backend.Batch{Commands: []backend.Command{s}}); err != nil {
					w.Error(err)
				}
				took = append(took, time.Since(began))
				<-time.After(5 * time.Millisecond)
			}
		}()
		var steps []time.Duration
		began = time.Now()
		last := began
		report, err := p.Cleanup(w.ctx(), core.Cleanup{OnProgress: func(core.CleanupReport) {
			steps = append(steps, time.Since(last))
			last = time.Now()
		}})
		if err != nil || report.Deleted < n {
			w.Fatalf("deleted %d, %v", report.Deleted, err)
		}
		took := time.Since(began)
		close(stop)
		w.Logf("%d were deleted in %v; a step takes %s", report.Deleted, took.Round(time.Second), spread(steps))
		w.Logf("starts meanwhile: %s", spread(<-probed))
	})
}
