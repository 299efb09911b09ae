package promql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

var scope = promql.Scope{Selector: `job="orders"`, Keep: []string{"namespace"}}

func TestQueries(t *testing.T) {
	failed := scope.Of(metrics.TasksFailed).Where(metrics.LabelRetrying, "false").Rate("5m")
	completed := scope.Of(metrics.TasksCompleted).Rate("5m")
	depth := scope.Of(metrics.QueueDepth)
	for want, got := range map[string]promql.Expr{
		`sum by (namespace, queue) (rate(stent_tasks_failed_total{job="orders",retrying="false"}[5m]))`: failed.SumBy("queue"),
		`max by (namespace, queue) (stent_queue_depth{job="orders"})`:                                   depth.MaxBy("queue"),
		`sum (max by (namespace, queue) (stent_queue_depth{job="orders"}))`:                             depth.Total(),
		`max by (namespace, queue) (deriv(stent_queue_depth{job="orders"}[15m])) > 0`:                   depth.MaxOf("deriv", "15m", "queue").Above(0),
		`(sum by (step) (rate(stent_tasks_failed_total{job="orders",retrying="false"}[5m])) or 0 * sum by (step) (rate(stent_tasks_completed_total{job="orders"}[5m]))) / (sum by (step) (rate(stent_tasks_completed_total{job="orders"}[5m])) > 0)`: failed.Sum("step").Over(completed.Sum("step")),
		`histogram_quantile(0.95, sum by (le, step) (rate(stent_task_duration_seconds_bucket{job="orders"}[5m])))`:                                                                                                                                   scope.Of(metrics.TaskDuration).Quantile(0.95, "5m", "step"),
		"a > 1\nand\nb == 0\nand\nc":      promql.Recorded("a").Above(1).And(promql.Recorded("b").Is(0), promql.Recorded("c")),
		"(\n  a\n  or\n  b\n)\nunless\nc": promql.Recorded("a").Or(promql.Recorded("b")).Unless(promql.Recorded("c")),
		"(time() - max by (namespace) (stent_sample_timestamp_seconds{job=\"orders\"})) > 120": promql.Now().Minus(scope.Of(metrics.SampleTimestamp).MaxBy()).Above(120),
	} {
		if got.String() != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// A query that cannot be right does not leave the program that writes it.
func TestFaults(t *testing.T) {
	for complaint, write := range map[string]func(){
		"has no label workflow":        func() { scope.Of(metrics.TasksCompleted).Rate("5m").SumBy(metrics.LabelWorkflow) },
		"has no label step":            func() { scope.Of(metrics.QueueDepth).Where(metrics.LabelStep, "charge") },
		"is a gauge, not a counter":    func() { scope.Of(metrics.QueueDepth).Rate("5m") },
		"is a counter, not a gauge":    func() { scope.Of(metrics.TasksCompleted).MaxBy("step") },
		"the sum of stent_queue_depth": func() { scope.Of(metrics.QueueDepth).Sum() },
		"each process's stent_queue":   func() { scope.Of(metrics.QueueDepth).Each() },
		"not a histogram":              func() { scope.Of(metrics.TasksCompleted).Quantile(0.5, "5m") },
		"one would hide the other": func() {
			scope.Of(metrics.TasksPoisoned).Rate("5m").Or(scope.Of(metrics.DeadLettersMoved).Rate("5m"))
		},
	} {
		t.Run(complaint, func(t *testing.T) {
			defer func() {
				if said, ok := recover().(string); !ok || !strings.Contains(said, complaint) {
					t.Errorf("want a panic that says %q, got %q", complaint, said)
				}
			}()
			write()
		})
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Microsecond: "1ms", 500 * time.Millisecond: "500ms", 90 * time.Second: "1m30s", 5 * time.Minute: "5m",
		26 * time.Hour: "1d2h", 72 * time.Hour: "3d",
	} {
		if got := promql.Duration(d); got != want {
			t.Errorf("Duration(%v) = %s, want %s", d, got, want)
		}
	}
}
