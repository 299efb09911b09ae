//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stentgo/stent/core"
)

// The mixed load. What each workflow does, and what comes out of it, follows from its plan alone.

// plan is the input of every workflow.
type plan struct {
	N     int           `json:"n"`               // steps, signals, children: what the workflow is about
	Fails int           `json:"fails,omitempty"` // attempts that fail at every step
	Takes time.Duration `json:"takes,omitempty"` // the work of every step

	Done []string `json:"done,omitempty"` // marks of the runs before, of a workflow that begins anew
}

// job is the input of every activity.
type job struct {
	N      int           `json:"n"`
	Fails  int           `json:"fails,omitempty"`
	Takes  time.Duration `json:"takes,omitempty"`
	Before string        `json:"before,omitempty"` // the mark of the result before it
	Broken bool          `json:"broken,omitempty"` // it fails for good until its execution is mended
}

// effect is the result of every activity: the attempt that it came from.
type effect struct {
	Mark string `json:"mark"`
}

// letter is a signal's payload.
type letter struct {
	N      int `json:"n"`
	Serial int `json:"serial"` // one more with each time that it is sent
}

// outcome is the result of every workflow.
type outcome struct {
	Marks   []string `json:"marks,omitempty"`
	Letters []letter `json:"letters,omitempty"`
}

// narrowLimit is how many of narrow run at once.
const narrowLimit = 3

var (
	quickRetry = core.Retry(core.RetryPolicy{MaxAttempts: 5, InitialDelay: 20 * time.Millisecond, MaxDelay: 200 * time.Millisecond})
	stepJob    = core.NewActivity[job, effect]("step", quickRetry)
	remote     = core.NewActivity[job, effect]("remote", quickRetry, core.Queue("remote"))
	narrow     = core.NewActivity[job, effect]("narrow", quickRetry, core.Queue("narrow"), core.MaxConcurrent(narrowLimit))

	mail  = core.NewSignal[letter]("mail")
	never = core.NewSignal[letter]("never")

	chain   = core.NewWorkflow[plan, outcome]("chain")
	fan     = core.NewWorkflow[plan, outcome]("fan")
	mailbox = core.NewWorkflow[plan, outcome]("mailbox")
	nap     = core.NewWorkflow[plan, outcome]("nap")
	family  = core.NewWorkflow[plan, outcome]("family")
	again   = core.NewWorkflow[plan, outcome]("again")
	broken  = core.NewWorkflow[plan, outcome]("broken")  // until it is mended and replayed
	stopper = core.NewWorkflow[plan, outcome]("stopper") // it is cancelled, and puts things right
	late    = core.NewWorkflow[plan, outcome]("late", core.MaxDuration(time.Second))
	patient = core.NewWorkflow[plan, outcome]("patient") // it waits for what never comes

	kinds = map[string]*core.Workflow[plan, outcome]{
		"chain": chain, "fan": fan, "mailbox": mailbox, "nap": nap, "family": family, "again": again, "broken": broken,
		"stopper": stopper, "late": late, "patient": patient,
	}
)

// crew carries the load out in one worker process.
type crew struct {
	ledger *ledger
	mended string // a folder with a file for each execution that is mended
}

func (c *crew) handlers() []core.Handler {
	return []core.Handler{
		stepJob.Handle(c.do), remote.Handle(c.do), narrow.Handle(c.do),
		chain.Handle(doChain), fan.Handle(doFan), mailbox.Handle(doMailbox), nap.Handle(doNap), family.Handle(doFamily),
		again.Handle(doAgain), broken.Handle(doBroken), stopper.Handle(doStopper), late.Handle(doLate), patient.Handle(doPatient),
	}
}

// do is every activity. Its effect is the line in the ledger, which it leaves out, as a careful activity would, when its
// context has ended.
func (c *crew) do(ctx context.Context, j job) (effect, error) {
	info, _ := core.InfoFrom(ctx)
	e := entry{Worker: info.WorkerID, Task: info.TaskID, Step: info.Step, Attempt: info.Attempt, Mark: rand.Text(), Before: j.Before}
	write := func(what happening) error {
		e.What = what
		return c.ledger.write(e)
	}
	if err := write(began); err != nil {
		return effect{}, err
	}
	if j.Takes > 0 {
		select {
		case <-time.After(j.Takes):
		case <-ctx.Done():
		}
	}
	switch {
	case ctx.Err() != nil:
		return effect{}, errors.Join(context.Cause(ctx), write(stopped))
	case info.Attempt <= j.Fails:
		return effect{}, errors.Join(fmt.Errorf("attempt %d of %d that fail", info.Attempt, j.Fails), write(failed))
	case j.Broken && !c.isMended(info.ExecutionID):
		return effect{}, core.NonRetryable(errors.Join(errors.New("broken"), write(failed)))
	}
	return effect{e.Mark}, write(did)
}

func (c *crew) isMended(execution string) bool {
	_, err := os.Stat(filepath.Join(c.mended, execution))
	return err == nil
}

// inTurn does steps one after the other, each knowing the one before.
func inTurn(flow *core.Flow, p plan, marks []string) ([]string, error) {
	for i := range p.N {
		act := stepJob
		if i%3 == 2 {
			act = remote
		}
		j := job{N: i, Fails: p.Fails, Takes: p.Takes}
		if len(marks) > 0 {
			j.Before = marks[len(marks)-1]
		}
		e, err := act.Call(flow, j)
		if err != nil {
			return nil, err
		}
		marks = append(marks, e.Mark)
		flow.Counter("steps").Add(1)
	}
	return marks, nil
}

func doChain(flow *core.Flow, p plan) (outcome, error) {
	marks, err := inTurn(flow, p, nil)
	return outcome{Marks: marks}, err
}

func doFan(flow *core.Flow, p plan) (outcome, error) {
	jobs := make([]job, p.N)
	for i := range jobs {
		jobs[i] = job{N: i, Fails: p.Fails, Takes: p.Takes}
	}
	var out outcome
	effects, err := narrow.Map(flow, jobs)
	for _, e := range effects {
		out.Marks = append(out.Marks, e.Mark)
		flow.Counter("steps").Add(1)
	}
	return out, err
}

func doMailbox(flow *core.Flow, p plan) (outcome, error) {
	var out outcome
	for i := 0; i < p.N; {
		l, err := mail.Receive(flow)
		if err != nil {
			return out, err
		}
		out.Letters = append(out.Letters, l)
		if l.N < i {
			continue // it was sent twice, since its sender got no answer
		}
		i++
		if i%2 == 0 {
			e, err := stepJob.Call(flow, job{N: i, Takes: p.Takes})
			if err != nil {
				return out, err
			}
			out.Marks = append(out.Marks, e.Mark)
			flow.Counter("steps").Add(1)
		}
	}
	return out, nil
}

func doNap(flow *core.Flow, p plan) (outcome, error) {
	for i := range p.N {
		if err := flow.Sleep(time.Duration(i+1) * 150 * time.Millisecond); err != nil {
			return outcome{}, err
		}
		if _, err := never.ReceiveWithin(flow, 100*time.Millisecond); !errors.Is(err, core.ErrSignalTimeout) {
			return outcome{}, fmt.Errorf("a signal that nobody sent: %w", err)
		}
	}
	return doChain(flow, p)
}

func doFamily(flow *core.Flow, p plan) (outcome, error) {
	children := make([]plan, p.N)
	for i := range children {
		children[i] = plan{N: i + 1, Fails: p.Fails, Takes: p.Takes}
	}
	outs, err := chain.Map(flow, children)
	if err != nil {
		return outcome{}, err
	}
	var all outcome
	for _, o := range outs {
		all.Marks = append(all.Marks, o.Marks...)
	}
	return all, nil
}

func doAgain(flow *core.Flow, p plan) (outcome, error) {
	e, err := stepJob.Call(flow, job{Fails: p.Fails, Takes: p.Takes})
	if err != nil {
		return outcome{}, err
	}
	flow.Counter("steps").Add(1)
	p.Done = append(p.Done, e.Mark)
	if p.N--; p.N > 0 {
		return outcome{}, flow.ContinueAsNew(p)
	}
	return outcome{Marks: p.Done}, nil
}

func doBroken(flow *core.Flow, p plan) (outcome, error) {
	marks, err := inTurn(flow, plan{N: p.N - 1, Takes: p.Takes}, nil)
	if err != nil {
		return outcome{}, err
	}
	e, err := stepJob.Call(flow, job{Broken: true})
	if err != nil {
		return outcome{}, err
	}
	flow.Counter("steps").Add(1)
	return outcome{Marks: append(marks, e.Mark)}, nil
}

func doStopper(flow *core.Flow, p plan) (outcome, error) {
	_, err := never.Receive(flow)
	if !errors.Is(err, core.ErrCancelled) {
		return outcome{}, fmt.Errorf("want a cancellation, got %w", err)
	}
	_, undone := stepJob.Call(flow, job{N: -1, Takes: p.Takes})
	return outcome{}, errors.Join(err, undone)
}

func doLate(flow *core.Flow, _ plan) (outcome, error) { return outcome{}, flow.Sleep(time.Hour) }

func doPatient(flow *core.Flow, _ plan) (outcome, error) {
	_, err := never.Receive(flow)
	return outcome{}, err
}
