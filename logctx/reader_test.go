package logctx_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
)

// text is the simplest form that fields can have.
func text(s *string, list []logctx.Field) {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%s=%v ", f.Name, f.Value())
	}
	*s = strings.TrimSpace(b.String())
}

var charge = core.TaskInfo{
	ExecutionID: "order-42", TaskID: "order-42.2", WorkerID: "worker-1",
	Workflow: "order_workflow", Step: "charge_payment", Queue: "billing", Attempt: 1,
}

func ExampleReader() {
	reader := logctx.NewReader(text, logctx.WithoutPrefix())
	ctx := core.WithTaskInfo(context.Background(), charge, nil) // what an activity is given
	fmt.Println(*reader.Fields(ctx))
	// Output: execution_id=order-42 task_id=order-42.2 worker_id=worker-1 step=charge_payment queue=billing attempt=1
}

func TestFieldsAreBuiltOnceATask(t *testing.T) {
	var mu sync.Mutex
	built := map[string]bool{}
	reader := logctx.NewReader(func(s *string, list []logctx.Field) {
		mu.Lock()
		defer mu.Unlock()
		text(s, list)
		built[*s] = true
	})
	other := logctx.NewReader(text, logctx.WithoutPrefix())
	ctx := core.WithTaskInfo(t.Context(), charge, nil)

	got := make([]*string, 16)
	var done sync.WaitGroup
	for i := range got {
		done.Go(func() {
			other.Fields(ctx)
			got[i] = reader.Fields(ctx)
		})
	}
	done.Wait()
	for _, s := range got {
		if s != got[0] || s == nil {
			t.Fatalf("goroutines of one task got %p and %p", s, got[0])
		}
	}
	if len(built) != 1 || strings.HasPrefix(*other.Fields(ctx), "stent_") {
		t.Errorf("readers share fields: %v, %s", built, *other.Fields(ctx))
	}
	if again := core.WithTaskInfo(ctx, charge, nil); reader.Fields(again) == got[0] {
		t.Error("the next attempt at a task has the fields of the one before")
	}
	if reader.Fields(t.Context()) != nil {
		t.Error("fields outside a task")
	}
}

func TestASpanIsBuiltWhenItChanges(t *testing.T) {
	span := "s1"
	reader := logctx.NewReader(text, logctx.WithSpan(func(context.Context) (string, string, bool) { return "t1", span, span != "" }))
	ctx := core.WithTaskInfo(t.Context(), charge, nil)
	if allocs := testing.AllocsPerRun(100, func() { reader.Fields(ctx) }); allocs != 0 {
		t.Errorf("%v allocations in the same span", allocs)
	}
	first := reader.Fields(ctx)
	span = ""
	if s := *reader.Fields(ctx); strings.Contains(s, "span_id") {
		t.Errorf("without a span: %s", s)
	}
	span = "s2"
	if s := *reader.Fields(ctx); !strings.HasSuffix(*first, " trace_id=t1 span_id=s1") || !strings.HasSuffix(s, " trace_id=t1 span_id=s2") {
		t.Errorf("fields %s and %s", *first, s)
	}
}

func TestNamesThatCannotBe(t *testing.T) {
	for _, test := range []struct {
		names logctx.Names
		ok    bool
	}{
		{logctx.Names{}, true},
		{logctx.Names{Queue: "-", Attempt: "-"}, true},
		{logctx.Names{ExecutionID: "id", TaskID: "id"}, false},
		{logctx.Names{ExecutionID: "trace_id"}, false},
	} {
		t.Run(fmt.Sprint(test.names), func(t *testing.T) {
			defer func() {
				if v := recover(); (v == nil) != test.ok {
					t.Errorf("panic %v", v)
				}
			}()
			logctx.NewReader(text, logctx.WithNames(test.names))
		})
	}
}

func TestOptionsAddUp(t *testing.T) {
	reader := logctx.NewReader(text, logctx.WithoutPrefix(), logctx.WithNames(logctx.Names{TaskID: "task", Queue: "-", Step: "-"}), logctx.WithNames(logctx.Names{}))
	const want = "execution_id=order-42 task=order-42.2 worker_id=worker-1 attempt=1"
	if got := *reader.Fields(core.WithTaskInfo(t.Context(), charge, nil)); got != want {
		t.Errorf("fields %q, want %q", got, want)
	}
}
