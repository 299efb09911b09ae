package main

import (
	"errors"
	"time"

	"github.com/stentgo/stent/core"
)

var (
	batches   = core.NewWorkflow[Batch, Summary]("make_thumbnails")
	thumbnail = core.NewActivity[Picture, int]("make_thumbnail",
		core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: 100 * time.Millisecond}))
)

// Batch is many pictures.
type Batch struct {
	Pictures []Picture `json:"pictures"`
}

// Picture is one item of the batch.
type Picture struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

// Summary is what the batch came to.
type Summary struct {
	Done   int      `json:"done"`
	Bytes  int      `json:"bytes"`
	Failed []string `json:"failed,omitempty"` // in the order of the batch
}

// The counters that tell how far a batch is.
const (
	total  = "total"
	done   = "done"
	failed = "failed"
)

// inFlight is how many pictures are given out at once, on all workers together. It is part of the workflow, and so the
// same for whoever goes on with it.
const inFlight = 16

// makeThumbnails gives the pictures out and counts what comes back. Each counts once, however often the workflow runs again.
// A picture that fails for good is noted and does not end the batch; it is in the dead letters as well.
func makeThumbnails(flow *core.Flow, b Batch) (Summary, error) {
	flow.Counter(total).Add(float64(len(b.Pictures)))
	var (
		summary Summary
		flight  []*core.Future[int]
	)
	for next, landed := 0, 0; landed < len(b.Pictures); landed++ {
		for ; next < len(b.Pictures) && len(flight) < inFlight; next++ {
			flight = append(flight, thumbnail.Go(flow, b.Pictures[next]))
		}
		size, err := flight[0].Get(flow)
		flight = flight[1:]
		var lost *core.ActivityError
		switch {
		case errors.As(err, &lost):
			summary.Failed = append(summary.Failed, b.Pictures[landed].Name)
			flow.Counter(failed).Add(1)
		case err != nil:
			return Summary{}, err
		default:
			summary.Done++
			summary.Bytes += size
			flow.Counter(done).Add(1)
		}
	}
	return summary, nil
}
