package otel

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core"
)

var _ core.Selective = (*Middleware)(nil)

// How the spans begin that the sampler is asked for in executions that are not sampled. Slices of their own would be
// allocated for each, and attributes, which few samplers look at, even more.
var (
	asDispatch  = []trace.SpanStartOption{producer}
	belowParent = []trace.SpanStartOption{consumer}
	asRoot      = []trace.SpanStartOption{consumer, trace.WithNewRoot()}
)

// Enter spares an execution that is not sampled its spans. The sampler is asked for one, the execution's own. If that is
// not recorded, it is what all tasks of the execution run in, so that what they call and log belongs to the same trace,
// and it is not asked again.
func (m *Middleware) Enter(ctx context.Context, task *core.TaskInfo, carrier map[string]string) (within context.Context, stays bool) {
	if m.everySpan.Load() {
		return ctx, true
	}
	within, o := m.carried(ctx, carrier)
	if o.flags.IsSampled() {
		return ctx, true
	}
	traced := o.traceID.IsValid()
	w, begin := wish{span: o.execution}, belowParent
	if !traced {
		w, begin = inventedIDs(task.ExecutionID), asRoot
	}
	within, span := m.ask(within, w, task, begin)
	if !span.IsRecording() {
		return within, false
	}
	if traced {
		m.everySpan.Store(true) // this sampler does not go by the parent
	}
	return ctx, true
}

// ask has the sampler decide on an execution's span. The span is never ended, so never exported.
func (m *Middleware) ask(ctx context.Context, w wish, t *core.TaskInfo, begin []trace.SpanStartOption) (context.Context, trace.Span) {
	return m.start(ctx, w, m.names.execute.of(t.Workflow), begin...)
}
