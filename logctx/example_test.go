package logctx_test

import (
	"context"
	"fmt"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
)

func ExampleWithNames() {
	names := logctx.WithNames(logctx.Names{ExecutionID: "execution.id", Queue: "-"})
	reader := logctx.NewReader(text, names)
	fmt.Println(*reader.Fields(core.WithTaskInfo(context.Background(), charge, nil)))
	// Output: execution.id=order-42 stent_task_id=order-42.2 stent_worker_id=worker-1 stent_step=charge_payment stent_attempt=1
}

type spanKey struct{}

func ExampleWithSpan() {
	span := logctx.WithSpan(func(ctx context.Context) (traceID, spanID string, ok bool) {
		ids, ok := ctx.Value(spanKey{}).([2]string)
		return ids[0], ids[1], ok
	})
	reader := logctx.NewReader(text, logctx.WithoutPrefix(), span)
	ctx := core.WithTaskInfo(context.Background(), charge, nil)
	ctx = context.WithValue(ctx, spanKey{}, [2]string{"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"})
	fmt.Println(*reader.Fields(ctx))
	// Output: execution_id=order-42 task_id=order-42.2 worker_id=worker-1 step=charge_payment queue=billing attempt=1 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7
}
