package logctx

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/stentgo/stent/core"
)

// Field is one field of a record.
type Field struct {
	Name  string
	Value any // a string, or an int
}

// Reader is what an injector is made of. It gives the fields of the running task as T, the form in which a logging
// library takes them, built once a task. It is safe for concurrent use.
type Reader[T any] struct {
	settings
	build func([]Field) *T
	tasks *core.PerTask[task[T]]
}

// NewReader takes the function that builds a T from fields. It panics if two fields have the same name.
func NewReader[T any](build func([]Field) *T, opts ...Option) *Reader[T] {
	r := &Reader[T]{settings: settings{names: defaultNames}, build: build}
	for _, opt := range opts {
		opt(&r.settings)
	}
	if err := r.names.validate(); err != nil {
		panic("logctx: " + err.Error())
	}
	r.tasks = core.NewPerTask(r.task)
	return r
}

// Fields returns what to add to a record that is made with ctx; nil outside a task. It allocates nothing but the T, which
// is the same until the task, or the span in ctx, is another.
//
// It does not ask whether the record is to be dropped: if it returns fields, ask [core.Replaying] when the record is
// written. A logger may be older than its record, and the replay over meanwhile.
func (r *Reader[T]) Fields(ctx context.Context) *T {
	t := r.tasks.Get(ctx)
	if t == nil {
		return nil
	}
	if r.span != nil {
		if traceID, spanID, ok := r.span(ctx); ok {
			return r.spanned(t, traceID, spanID)
		}
	}
	return t.built
}

// task is what is kept with a task.
type task[T any] struct {
	fields []Field
	built  *T
	last   atomic.Pointer[spanned[T]]
}

// spanned is a T with a span. A task rarely logs in another span than the record before.
type spanned[T any] struct {
	traceID, spanID string
	built           *T
}

func (r *Reader[T]) task(info core.TaskInfo) *task[T] {
	fields := present(
		Field{r.names.ExecutionID, info.ExecutionID},
		Field{r.names.TaskID, info.TaskID},
		Field{r.names.WorkerID, info.WorkerID},
		Field{r.names.Step, info.Step},
		Field{r.names.Queue, info.Queue},
		Field{r.names.Attempt, info.Attempt},
	)
	return &task[T]{fields: fields, built: r.build(fields)}
}

func (r *Reader[T]) spanned(t *task[T], traceID, spanID string) *T {
	if s := t.last.Load(); s != nil && s.spanID == spanID && s.traceID == traceID {
		return s.built
	}
	fields := present(append(slices.Clip(t.fields), Field{r.names.TraceID, traceID}, Field{r.names.SpanID, spanID})...)
	s := &spanned[T]{traceID, spanID, r.build(fields)}
	t.last.Store(s)
	return s.built
}

// present leaves out what nobody wants.
func present(all ...Field) []Field {
	fields := make([]Field, 0, len(all))
	for _, f := range all {
		if f.Name != leaveOut {
			fields = append(fields, f)
		}
	}
	return fields
}
