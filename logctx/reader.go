package logctx

import (
	"context"
	"sync/atomic"

	"github.com/stentgo/stent/core"
)

// Field is one field of a record: a text, or a number.
type Field struct {
	Name    string
	Text    string
	Number  int
	Numeric bool // the value is Number
}

// Value is the Text, or the Number.
func (f Field) Value() any {
	if f.Numeric {
		return f.Number
	}
	return f.Text
}

// mostFields is how many fields there are.
const mostFields = 8

// Reader is what an injector is made of. It gives the fields of the running task as T, the form in which a logging
// library takes them, built once a task. It is safe for concurrent use.
type Reader[T any] struct {
	settings
	build func(*T, []Field)
	tasks *core.PerTask[task[T]]
}

// NewReader takes the function that builds a T from fields, in memory that it is given, with a zero T. The fields live as
// long as the T and do not change, so it may keep them. NewReader panics if two fields have the same name.
func NewReader[T any](build func(t *T, fields []Field), opts ...Option) *Reader[T] {
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
	return &t.built
}

// task is what is kept with a task, in one piece of memory.
type task[T any] struct {
	built  T
	fields []Field // in room
	room   [mostFields]Field
	last   atomic.Pointer[spanned[T]]
}

// spanned is a T with a span. A task rarely logs in another span than the record before.
type spanned[T any] struct {
	traceID, spanID string
	built           T
	room            [mostFields]Field
}

func (r *Reader[T]) task(info core.TaskInfo) *task[T] {
	t := &task[T]{}
	l := list(t.room[:0])
	l.text(r.names.ExecutionID, info.ExecutionID)
	l.text(r.names.TaskID, info.TaskID)
	l.text(r.names.WorkerID, info.WorkerID)
	l.text(r.names.Step, info.Step)
	l.text(r.names.Queue, info.Queue)
	l.add(Field{Name: r.names.Attempt, Number: info.Attempt, Numeric: true})
	t.fields = l
	r.build(&t.built, t.fields)
	return t
}

func (r *Reader[T]) spanned(t *task[T], traceID, spanID string) *T {
	if s := t.last.Load(); s != nil && s.spanID == spanID && s.traceID == traceID {
		return &s.built
	}
	s := &spanned[T]{traceID: traceID, spanID: spanID}
	l := append(list(s.room[:0]), t.fields...)
	l.text(r.names.TraceID, traceID)
	l.text(r.names.SpanID, spanID)
	r.build(&s.built, l)
	t.last.Store(s)
	return &s.built
}

// list leaves out what nobody wants.
type list []Field

func (l *list) text(name, value string) { l.add(Field{Name: name, Text: value}) }

func (l *list) add(f Field) {
	if f.Name != leaveOut {
		*l = append(*l, f)
	}
}
