package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stentgo/stent/core"
)

var (
	exports = core.NewWorkflow[Request, Report]("export_data")

	begin = core.NewActivity[Request, Job]("begin_export")
	// The service says when to come back, so the policy's own delays are for what it does not answer at all.
	poll = core.NewActivity[Job, Report]("poll_export",
		core.Retry(core.RetryPolicy{MaxAttempts: -1, InitialDelay: time.Second, MaxDelay: time.Minute}))
)

// Request is what to export.
type Request struct {
	Table string `json:"table"`
}

// Job is an export that is under way at the service.
type Job struct {
	ID string `json:"id"`
}

// Report is where the export can be fetched.
type Report struct {
	URL  string `json:"url"`
	Rows int    `json:"rows"`
}

// exportData begins an export and asks until it is ready. The asking is one activity that fails until then: no history
// grows, and between two attempts it is a row in the database that has its time.
func exportData(flow *core.Flow, r Request) (Report, error) {
	job, err := begin.Call(flow, r)
	if err != nil {
		return Report{}, err
	}
	return poll.Call(flow, job)
}

// service is the API that exports.
type service interface {
	// Begin starts an export. The same key again is the same export.
	Begin(ctx context.Context, key, table string) (id string, err error)
	// Poll says errNotYet or errBusy, in a *laterError, or errUnknown.
	Poll(ctx context.Context, id string) (url string, rows int, err error)
}

var (
	errNotYet  = errors.New("not ready yet")
	errBusy    = errors.New("too many requests")
	errUnknown = errors.New("there is no such export")
)

// laterError says when to ask again.
type laterError struct {
	error
	after time.Duration
}

func (e *laterError) Unwrap() error { return e.error }

// client does the activities at a service.
type client struct{ service service }

func (c *client) begin(ctx context.Context, r Request) (Job, error) {
	task, _ := core.InfoFrom(ctx)
	id, err := c.service.Begin(ctx, task.TaskID, r.Table) // begun once, also when the answer is lost
	return Job{ID: id}, err
}

func (c *client) poll(ctx context.Context, j Job) (Report, error) {
	url, rows, err := c.service.Poll(ctx, j.ID)
	var later *laterError
	switch {
	case errors.As(err, &later):
		return Report{}, core.RetryAfter(err, later.after) // when the service wants it
	case errors.Is(err, errUnknown):
		return Report{}, core.NonRetryable(fmt.Errorf("export %s: %w", j.ID, err)) // it never will be there
	case err != nil:
		return Report{}, err // as the policy says
	}
	return Report{URL: url, Rows: rows}, nil
}
