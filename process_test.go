package stent_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Stories with several processes: the test binary is started again as a worker, and killed.

// Environment of a worker process.
const (
	workerAddress = "STENT_TEST_WORKER"  // the database, as world.address
	workerLedger  = "STENT_TEST_LEDGER"  // a file to which activities append what they do
	workerBackend = "STENT_TEST_BACKEND" // which of backends
	workerLease   = "STENT_TEST_LEASE"
	workerErrand  = "STENT_TEST_ERRAND" // "open": opens the database and ends; "leaks": leakErrand; else it serves
)

// processLease is the lease of worker processes that die; of those that live it is so long that a busy machine does not
// end it.
const (
	processLease = time.Second
	steadyLease  = 30 * time.Second
)

func TestMain(m *testing.M) {
	if os.Getenv(workerAddress) == "" {
		os.Exit(m.Run())
	}
	if err := workerProcess(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var (
	logged  = core.NewActivity[int, int]("logged")
	chained = core.NewWorkflow[int, int]("chained")
)

// workerProcess serves until it is killed.
func workerProcess() error {
	ctx := context.Background()
	if os.Getenv(workerErrand) == "open" {
		db, err := workerDatabase(ctx)
		if err != nil {
			return err
		}
		return db.Close()
	}
	if os.Getenv(workerErrand) == "leaks" {
		db, err := workerDatabase(ctx)
		if err != nil {
			return err
		}
		return leakErrand(ctx, db)
	}
	ledger, err := os.OpenFile(os.Getenv(workerLedger), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	db, err := workerDatabase(ctx)
	if err != nil {
		return err
	}
	e, err := core.New(db, logOption()...)
	if err != nil {
		return err
	}
	err = e.Register(
		logged.Handle(func(ctx context.Context, n int) (int, error) {
			info, _ := core.InfoFrom(ctx)
			_, err := fmt.Fprintln(ledger, info.TaskID)
			if n < 0 {
				select {} // until it is killed
			}
			<-time.After(2 * time.Millisecond) // work; without it all would be done before the last worker is killed
			return n + 1, err
		}),
		chained.Handle(func(flow *core.Flow, n int) (int, error) {
			for range 5 {
				var err error
				if n, err = logged.Call(flow, n); err != nil {
					return 0, err
				}
			}
			return n, nil
		}),
	)
	if err != nil {
		return err
	}
	lease, err := time.ParseDuration(os.Getenv(workerLease))
	if err != nil {
		return err
	}
	// A worker that dies of SIGKILL again and again is the point here, and no fault of the tasks.
	return e.Serve(ctx, core.WorkerConfig{Slots: 20, Lease: lease, PollInterval: 50 * time.Millisecond, MaxCrashes: 1000})
}

func workerDatabase(ctx context.Context) (backend.Backend, error) {
	for _, b := range backends {
		if b.name == os.Getenv(workerBackend) {
			return b.dial(ctx, os.Getenv(workerAddress))
		}
	}
	return nil, fmt.Errorf("no backend %q", os.Getenv(workerBackend))
}

// workerIn starts a worker process on the world's database, with a short lease.
func (w *world) workerIn(ledger string) *exec.Cmd {
	w.Helper()
	return w.workerWith(ledger, processLease)
}

func (w *world) workerWith(ledger string, lease time.Duration) *exec.Cmd {
	w.Helper()
	cmd := exec.Command(os.Args[0]) //nolint:noctx // it is killed by the story
	cmd.Env = append(os.Environ(), workerAddress+"="+w.address, workerLedger+"="+ledger, workerBackend+"="+w.backend, workerLease+"="+lease.String())
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// entries reads the tasks that activities wrote into the ledger, in order.
func (w *world) entries(ledger string) []string {
	w.Helper()
	f, err := os.Open(ledger)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	var list []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		list = append(list, lines.Text())
	}
	return list
}

// completed lists the activities that the database holds as completed. A read right after a server's restart may find
// its connection broken and is repeated.
func (w *world) completed(db backend.Backend) map[string]bool {
	w.Helper()
	done := map[string]bool{}
	f := backend.TaskFilter{States: []backend.State{backend.Completed}, Kinds: []backend.Kind{backend.Activity}}
	for {
		var tasks []backend.Task
		w.eventually("completed activities can be read", func() (ok bool) {
			var err error
			tasks, err = db.Tasks(w.ctx(), f)
			return err == nil
		})
		if len(tasks) == 0 {
			return done
		}
		for _, t := range tasks {
			done[t.ID.String()] = true
		}
		f.After = tasks[len(tasks)-1].ID
	}
}

func TestKillingWorkersTwentyTimesLosesNothingAndRepeatsNothingCompleted(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		ledger := filepath.Join(t.TempDir(), "ledger")
		client := w.program()

		const executions = 600
		inputs := make([]core.Input[int], executions)
		for i := range inputs {
			inputs[i] = core.Input[int]{In: 10 * i, Options: []core.StartOption{core.ID(fmt.Sprint("chain-", i))}}
		}
		if _, err := chained.StartMany(w.ctx(), client.Engine, inputs); err != nil {
			t.Fatal(err)
		}

		before := 0 // entries of the ledger when the last worker died
		var done map[string]bool
		for round := range 20 {
			worker := w.workerIn(ledger)
			limit := before + 1 + random.IntN(60)
			w.eventually(fmt.Sprintf("worker %d has taken over and works", round), func() bool { return len(w.entries(ledger)) >= limit })
			_ = worker.Process.Kill()
			_ = worker.Wait()
			entries := w.entries(ledger)
			for _, task := range entries[before:] {
				if done[task] {
					t.Errorf("round %d: %s ran again after its completion was committed", round, task)
				}
			}
			before, done = len(entries), w.completed(client.db)
		}
		w.workerIn(ledger)
		for i := range executions {
			out, err := chained.Attach(client.Engine, fmt.Sprint("chain-", i)).Wait(w.ctx())
			if err != nil || out != 10*i+5 {
				t.Errorf("execution %d: %d, %v", i, out, err)
			}
		}
		for _, task := range w.entries(ledger)[before:] {
			if done[task] {
				t.Errorf("at the end: %s ran again after its completion was committed", task)
			}
		}
	})
}

// Twenty programs that start at the same moment on an empty database all find its schema there.
func TestTwentyProcessesOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var processes []*exec.Cmd
		for range 20 {
			cmd := exec.CommandContext(w.ctx(), os.Args[0])
			cmd.Env = append(os.Environ(), workerAddress+"="+w.address, workerBackend+"="+w.backend, workerErrand+"=open")
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			processes = append(processes, cmd)
		}
		for i, cmd := range processes {
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %d: %v", i, err)
			}
		}
		p := w.program(approvals.Handle(receiveApprovals)).serve(core.WorkerConfig{})
		run := start(p, approvals, 1)
		send(p, run.ID(), "yes")
		if got := wait(p, run); len(got) != 1 {
			t.Errorf("the database that they left gives %v", got)
		}
	})
}

func TestADeadWorkersTasksAreTakenOverWithinOneLease(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		w.sometime(func() error {
			// The second lease is for a machine that is busy with other tests; without it a tenth would do.
			if took := w.takeOver(); took > 2*processLease {
				return fmt.Errorf("taken over after %v, with a lease of %v", took, processLease)
			}
			return nil
		})
	})
}

// takeOver kills a worker process under an activity, and returns after how long another worker has ended it.
func (w *world) takeOver() (took time.Duration) {
	ledger := filepath.Join(w.TempDir(), "ledger")
	doomed := w.workerIn(ledger)
	client := w.program()
	run := start(client, chained, -10)
	w.eventually("its activity runs", func() bool { return len(w.entries(ledger)) == 1 })

	heir := w.program(
		logged.Handle(func(_ context.Context, n int) (int, error) { return n + 1, nil }),
		chained.Handle(func(flow *core.Flow, n int) (int, error) { return logged.Call(flow, n) }),
	).serve(core.WorkerConfig{Lease: processLease})
	_ = doomed.Process.Kill()
	killed := time.Now()
	if got := wait(heir, chained.Attach(heir.Engine, run.ID())); got != -9 {
		w.Errorf("result %d", got)
	}
	took = time.Since(killed)
	tasks, err := client.db.Tasks(w.ctx(), backend.TaskFilter{Execution: run.ID(), Kinds: []backend.Kind{backend.Activity}})
	if err != nil || len(tasks) != 1 || tasks[0].Attempt != 1 || tasks[0].Token < 2 {
		w.Errorf("a take-over is no attempt, and the token grows: %+v, %v", tasks, err)
	}
	heir.stop()
	return took
}

func TestSeveralProcessesShareTheWorkAndAWaiterElsewhereIsTold(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		ledger := filepath.Join(t.TempDir(), "ledger")
		for range 3 {
			w.workerWith(ledger, steadyLease)
		}
		client := w.program()
		w.eventually("all three are there", func() bool {
			workers, err := client.db.Workers(w.ctx())
			return err == nil && len(workers) == 3
		})
		const executions = 200
		var runs []*core.Run[int]
		for i := range executions {
			runs = append(runs, start(client, chained, i))
		}
		for i, run := range runs {
			if got := wait(client, run); got != i+5 {
				t.Errorf("result %d of %d", got, i)
			}
		}
		if entries := w.entries(ledger); len(entries) != 5*executions {
			t.Errorf("%d activities ran, want %d, each once", len(entries), 5*executions)
		}
		workers := map[string]bool{}
		tasks, err := client.db.Tasks(w.ctx(), backend.TaskFilter{Kinds: []backend.Kind{backend.Activity}})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			workers[task.Worker] = true
		}
		if len(workers) < 2 {
			t.Errorf("all the work was done by %v", workers)
		}
	})
}

func TestMaxConcurrentIsExactOverProgramsAndOthersFlow(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var now, most, others atomic.Int32
		narrow := core.NewActivity[int, int]("narrow", core.MaxConcurrent(3))
		wide := core.NewActivity[int, int]("wide")
		wf := core.NewWorkflow[int, int]("both")
		handlers := []core.Handler{
			narrow.Handle(func(_ context.Context, n int) (int, error) {
				if c := now.Add(1); c > most.Load() {
					most.Store(c)
				}
				defer now.Add(-1)
				<-time.After(time.Millisecond) // long enough that others come in between
				return n, nil
			}),
			wide.Handle(func(_ context.Context, n int) (int, error) { others.Add(1); return n, nil }),
			wf.Handle(func(flow *core.Flow, n int) (int, error) {
				f := narrow.Go(flow, n)
				if _, err := wide.Call(flow, n); err != nil {
					return 0, err
				}
				return f.Get(flow)
			}),
		}
		var programs []*program
		for range 4 {
			programs = append(programs, w.program(handlers...).serve(core.WorkerConfig{Slots: 8}))
		}
		const executions = 60
		var runs []*core.Run[int]
		for i := range executions {
			runs = append(runs, start(programs[i%4], wf, i))
		}
		w.eventually("the unlimited activity has run everywhere", func() bool { return others.Load() == executions })
		for i, run := range runs {
			if got := wait(programs[i%4], run); got != i {
				t.Errorf("result %d", got)
			}
		}
		if m := most.Load(); m > 3 || m < 1 {
			t.Errorf("%d at once with MaxConcurrent(3)", m)
		}
	})
}
