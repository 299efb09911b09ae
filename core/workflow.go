package core

import (
	"github.com/stentgo/stent/core/backend"
)

// Workflow describes a durable function: its name, its types and its options. A caller needs only the descriptor; the
// function is bound to it with [Workflow.Handle] in the program that runs it.
type Workflow[I, O any] struct{ callee }

// NewWorkflow describes a workflow. The name is stored with every execution. A bad name or option is reported by
// Register and by Start.
func NewWorkflow[I, O any](name string, opts ...WorkflowOption) *Workflow[I, O] {
	w := &Workflow[I, O]{callee{name: name}}
	w.settings.retry = once
	for _, opt := range opts {
		opt.toWorkflow(&w.settings)
	}
	if err := checkName("workflow", name); err != nil {
		w.settings.fail(err)
	}
	return w
}

// Handle binds the workflow to its function, for [Engine.Register]. What the function may do is told in the package's
// documentation.
func (w *Workflow[I, O]) Handle(fn func(flow *Flow, in I) (O, error)) Handler {
	return Handler{
		kind:   backend.Orchestrator,
		callee: &w.callee,
		accepts: func(in any) error {
			if _, ok := in.(I); ok {
				return nil
			}
			var want I
			return payloadError("input of workflow %s: a %T, want a %T", w.name, in, want)
		},
		workflow: func(flow *Flow, p payloads, input []byte) ([]byte, error) {
			var in I
			if err := p.decode("input of workflow ", w.name, input, &in); err != nil {
				return nil, err
			}
			out, err := fn(flow, in)
			if err != nil {
				return nil, err
			}
			data, err := p.encode("result of workflow ", w.name, out)
			return data, err
		},
	}
}
