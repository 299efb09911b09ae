package core

import (
	"errors"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
)

// parallel is a database that does two transactions at once.
type parallel struct{ *memory.DB }

func (parallel) Committers() int { return 2 }

// idleWorker is a worker with ten slots on a database that is never asked.
func idleWorker(t *testing.T) *worker {
	t.Helper()
	e, err := New(parallel{memory.Open()})
	if err != nil {
		t.Fatal(err)
	}
	w := e.newWorker(WorkerConfig{Slots: 10, Queues: []string{DefaultQueue}})
	w.state = backend.WorkerReady
	return w
}

// TestClaimsBeside has a worker of which a claim is under way, for which another one is worth its while, and then something that
// makes it wait.
func TestClaimsBeside(t *testing.T) {
	for name, not := range map[string]func(w *worker){
		"":                                  func(*worker) {},
		"nothing more was left":             func(w *worker) { w.backlog = false },
		"the one asked for takes the slots": func(w *worker) { w.asked = 1 },
		"the database does no more at once": func(w *worker) { w.claiming = 2 },
		"few slots are free":                func(w *worker) { w.used = 8 },
	} {
		w := idleWorker(t)
		w.backlog, w.claiming, w.used = true, 1, 7
		not(w)
		if got := w.claimsBeside(); got != (name == "") {
			t.Errorf("%q: claims beside: %v", name, got)
		}
	}
}

// begins is a claim for all that is due, of which the transaction begins.
func begins(w *worker) *claimRequest {
	w.wants.all = true
	return beginsAsWanted(w)
}

func beginsAsWanted(w *worker) *claimRequest {
	w.claiming++
	w.asked++
	c := &claimRequest{w: w}
	c.begins()
	return c
}

// TestAnswersOfClaimsOutOfOrder: of two claims that are under way the later may be answered first. What it has seen is not
// forgotten for the other, which looked before.
func TestAnswersOfClaimsOutOfOrder(t *testing.T) {
	w := idleWorker(t)
	w.backlog = true
	first, second := begins(w), begins(w)
	w.claiming-- // the second is answered
	second.cmd.More, second.cmd.Paused = true, []string{"slow"}
	w.learn(second)
	w.claiming--
	w.learn(first)
	if len(w.paused) != 1 {
		t.Errorf("the queues %v are paused, want slow", w.paused)
	}

	w = idleWorker(t)
	first, second = begins(w), begins(w)
	w.claiming--
	first.cmd.More = true
	w.learn(first)
	if !w.more || !w.backlog {
		t.Error("what the first has left is forgotten")
	}
	w.claiming--
	w.learn(second)
	if w.more || w.backlog {
		t.Error("the second has left nothing, and that is not believed")
	}

	w = idleWorker(t)
	first = begins(w)
	w.due(0)
	w.claiming--
	w.learn(first)
	if !w.more {
		t.Error("what came due while a claim was under way is forgotten")
	}
}

// TestAClaimGoesOnWhereTheLastOneLeft, for a while and as long as that left more.
func TestAClaimGoesOnWhereTheLastOneLeft(t *testing.T) {
	answered := func(w *worker, c *claimRequest, left backend.Left) {
		w.claiming--
		c.cmd.More, c.cmd.Left = left != nil, left
		w.used -= c.cmd.Max
		w.learn(c)
	}
	clock := &manualClock{now: time.Now()}
	w := idleWorker(t)
	w.e.clock = clock
	c := begins(w)
	if c.cmd.From != nil {
		t.Error("the first claim goes on from somewhere")
	}
	answered(w, c, "a")
	if c = begins(w); c.cmd.From != "a" {
		t.Errorf("the second goes on from %v, want a", c.cmd.From)
	}
	answered(w, c, "b")
	clock.now = clock.now.Add(lookAnew - time.Millisecond)
	if c = begins(w); c.cmd.From != "b" {
		t.Errorf("the third goes on from %v, want b", c.cmd.From)
	}
	answered(w, c, "c")
	clock.now = clock.now.Add(time.Millisecond)
	if c = begins(w); c.cmd.From != nil {
		t.Errorf("after %v a claim still goes on from %v", lookAnew, c.cmd.From)
	}
	answered(w, c, "d")
	w.due(3)
	if c = begins(w); c.cmd.From != nil {
		t.Error("a claim looks only behind what has come with a priority")
	}
	w.due(3)
	answered(w, c, "e")
	if c = begins(w); c.cmd.From != nil {
		t.Error("a claim looks only behind what has come with a priority while another was under way")
	}
	answered(w, c, "e")
	if c = begins(w); c.cmd.From != "e" {
		t.Errorf("it goes on from %v, want e", c.cmd.From)
	}
	answered(w, c, nil)
	if !w.more {
		t.Error("a claim that has not looked everywhere is believed that nothing is due")
	}
	if c = begins(w); c.cmd.From != nil {
		t.Errorf("after one that left nothing a claim goes on from %v", c.cmd.From)
	}
}

// TestAClaimLooksWhereNewsTell, and only for what was woken where nothing is due; what it may have missed is looked for with the next.
func TestAClaimLooksWhereNewsTell(t *testing.T) {
	told := func(w *worker, all ...backend.News) *claimRequest {
		w.claiming = 1 // so that no claim is made of them by itself
		for _, n := range all {
			w.changed(n)
		}
		w.claiming = 0
		return beginsAsWanted(w)
	}
	answered := func(w *worker, c *claimRequest, more bool) {
		w.claiming--
		c.cmd.More = more
		w.used -= c.cmd.Max
		w.learn(c)
	}
	here, there := backend.News{Due: true, At: "here"}, backend.News{Due: true, At: "there"}

	w := idleWorker(t)
	w.backlog = false
	c := told(w, backend.News{Woken: true})
	if !c.cmd.OnlyWoken || c.cmd.Max != 0 {
		t.Errorf("with nothing due it claims %d", c.cmd.Max)
	}
	answered(w, c, false)
	if c = told(w, here, backend.News{Woken: true}); c.cmd.From != "here" || c.cmd.OnlyWoken || c.cmd.OnlyDue || c.cmd.Max == 0 {
		t.Errorf("it claims %d from %v, want from here and what was woken: %+v", c.cmd.Max, c.cmd.From, c.cmd)
	}
	answered(w, c, false)
	if c = told(w, here); c.cmd.From != "here" || !c.cmd.OnlyDue {
		t.Errorf("nothing was woken, and it looks for that: %+v", c.cmd)
	}
	answered(w, c, false)
	if w.more {
		t.Error("all that is due was taken, and it looks for more")
	}
	if c = told(w, here, there); c.cmd.From != nil || c.cmd.Max == 0 {
		t.Errorf("of two places it looks in %v alone", c.cmd.From)
	}
	answered(w, c, false)
	if c = told(w, here, backend.News{Due: true}); c.cmd.From != nil || c.cmd.Max == 0 {
		t.Errorf("where it does not know all places it looks in %v alone", c.cmd.From)
	}
	answered(w, c, false)
	c = told(w, here)
	answered(w, c, true)
	if c = beginsAsWanted(w); !w.more {
		t.Error("what a claim has left in its place is forgotten")
	}
	answered(w, c, false)
	if !w.more {
		t.Error("what a claim has left in its place is taken to be gone, by one that has not looked for it")
	}

	w = idleWorker(t)
	w.backlog = false
	w.used = w.cfg.Slots
	if c = told(w, here); !c.cmd.OnlyWoken || c.cmd.Max != 0 || !w.more {
		t.Errorf("without a slot it claims %d, and more is %v", c.cmd.Max, w.more)
	}
	answered(w, c, false)
	if !w.more {
		t.Error("what there was no slot for is forgotten")
	}

	w = idleWorker(t)
	w.backlog = false
	clock := &manualClock{now: time.Now()}
	w.e.clock = clock
	c = told(w, backend.News{Woken: true})
	c.cmd.NextDue = -1
	w.claimed(c, nil)
	if in := w.dueAt.Sub(clock.now); in != lookForLeft {
		t.Errorf("what was woken and is not here is looked for in %v", in)
	}

	w = idleWorker(t)
	w.backlog = false
	c = told(w, here)
	w.claimed(c, errors.New("lost"))
	if !w.wants.all || !w.more {
		t.Error("news are forgotten with the claim that failed")
	}
}

// TestWhoEndsAnActivityLooksForItsWorkflow, unless a worker is known to have that.
func TestWhoEndsAnActivityLooksForItsWorkflow(t *testing.T) {
	for _, held := range []bool{true, false} {
		w := idleWorker(t)
		w.backlog, w.claiming = false, 1 // so that no claim is made
		w.ended(t.Context(), backend.TaskID{Execution: "a", Seq: 1}, 1, taskCompleted, "", held, nil)
		if w.more == held {
			t.Errorf("held %t: it looks for more: %t", held, w.more)
		}
	}
}

type manualClock struct {
	systemClock
	now time.Time
}

func (c *manualClock) Now() time.Time { return c.now }
