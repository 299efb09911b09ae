package recordertest

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
)

// CrowdSteps is how many names of steps [Crowd] has.
const CrowdSteps = 1000

// CrowdStep is the n-th name of an activity, as a program has that puts an id into the name by mistake.
func CrowdStep(n int) string { return fmt.Sprintf("mail-customer-%03d", n) }

// Crowd tells a recorder of a million executions, each with one activity out of a thousand with different names, of one
// queue and one workflow, and returns how many they were: with the race detector, which makes it ten times slower, they
// are a tenth.
func Crowd(ctx context.Context, r core.MetricsRecorder) (executions int) {
	executions = 1_000_000
	if raceDetector() {
		executions /= 10
	}
	names := make([]string, CrowdSteps)
	for n := range names {
		names[n] = CrowdStep(n)
	}
	for n := range executions {
		step := names[n%CrowdSteps]
		r.ExecutionStarted(ctx, core.ExecutionStarted{Workflow: workflowName, Queue: queueName})
		r.TaskClaimed(ctx, core.TaskClaimed{Queue: queueName, Step: step, Kind: backend.Activity, ScheduleToStart: time.Millisecond})
		r.TaskCompleted(ctx, core.TaskCompleted{Queue: queueName, Step: step, Kind: backend.Activity, Duration: time.Second})
		r.ExecutionFinished(ctx, core.ExecutionFinished{Workflow: workflowName, State: backend.Completed, Duration: time.Second})
	}
	return executions
}

func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Cardinality lets the crowd come: the default budget of names is kept apart, the others are counted together, none is
// lost, and how many were folded is told.
func Cardinality(t *testing.T, target Target) {
	t.Helper()
	executions := float64(Crowd(t.Context(), target.Recorder))
	kind := string(backend.Activity)
	if target.NoKinds {
		kind = ""
	}
	labels := func(m metrics.Metric, step string) map[string]string {
		all := map[string]string{metrics.LabelQueue: queueName, metrics.LabelStep: step}
		if m.HasLabel(metrics.LabelKind) {
			all[metrics.LabelKind] = kind
		}
		return all
	}
	for _, m := range []metrics.Metric{metrics.TasksClaimed, metrics.TasksCompleted, metrics.TaskDuration} {
		sum, kept := 0.0, 0
		for n := range CrowdSteps {
			if v, told := target.Value(t, m, labels(m, CrowdStep(n))); told {
				kept++
				sum += v
			}
		}
		if kept != metrics.DefaultBudget {
			t.Errorf("%s keeps %d steps apart, want %d", m.Name, kept, metrics.DefaultBudget)
		}
		if other, _ := target.Value(t, m, labels(m, metrics.Other)); sum+other != executions {
			t.Errorf("%s says %v of the steps it keeps apart and %v of others, want %v together", m.Name, sum, other, executions)
		}
	}
	finished := map[string]string{metrics.LabelWorkflow: workflowName, metrics.LabelState: string(backend.Completed)}
	if v, _ := target.Value(t, metrics.ExecutionsFinished, finished); v != executions {
		t.Errorf("%s says %v, want %v", metrics.ExecutionsFinished.Name, v, executions)
	}
	for label, want := range map[string]float64{metrics.LabelStep: CrowdSteps - metrics.DefaultBudget, metrics.LabelQueue: 0, metrics.LabelWorkflow: 0} {
		if v, _ := target.Value(t, metrics.LabelValuesFolded, map[string]string{metrics.LabelLabel: label}); v != want {
			t.Errorf("%s says %v for the label %s, want %v", metrics.LabelValuesFolded.Name, v, label, want)
		}
	}
}
