package core

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

// does is middleware made of a function.
type does struct {
	NopMiddleware
	signal func(ctx context.Context, next Next) error
}

func (d does) Signal(ctx context.Context, _ *SignalInfo, next Next) error { return d.signal(ctx, next) }

// sent is the sending of a signal.
type sent func(ctx context.Context) error

func (s sent) call(ctx context.Context, m Middleware, next Next) error {
	return m.Signal(ctx, nil, next)
}

func (s sent) arrive(ctx context.Context) error { return s(ctx) }

func TestChain(t *testing.T) {
	inner, other := errors.New("inner"), errors.New("other")
	for _, test := range []struct {
		name   string
		signal func(ctx context.Context, next Next) error
		calls  int // of the innermost
		err    error
		text   string // of another error
		always bool
	}{
		{name: "calls next", calls: 1, err: inner, signal: func(ctx context.Context, next Next) error { return next(ctx) }},
		{name: "changes the error", calls: 1, err: other, signal: func(ctx context.Context, next Next) error {
			return errors.Join(other, next(ctx))
		}},
		{name: "calls it twice", calls: 1, err: inner, signal: func(ctx context.Context, next Next) error {
			_ = next(ctx)
			return next(ctx)
		}},
		{name: "without a context", calls: 1, err: inner, signal: func(_ context.Context, next Next) error {
			return next(nil)
		}},
		{name: "refuses", calls: 0, err: other, signal: func(context.Context, Next) error { return other }},
		{name: "refuses in vain", always: true, calls: 1, err: inner, signal: func(context.Context, Next) error { return other }},
		{name: "forgets next", calls: 0, text: "does returned without having called next", signal: func(context.Context, Next) error { return nil }},
		{name: "panics before", calls: 1, err: inner, signal: func(context.Context, Next) error { panic("before") }},
		{name: "panics after", calls: 1, err: inner, signal: func(ctx context.Context, next Next) error {
			_ = next(ctx)
			panic("after")
		}},
		{name: "leaves next behind", calls: 1, err: other, signal: func(ctx context.Context, next Next) error {
			begun := make(chan struct{})
			go func() { close(begun); _ = next(ctx) }()
			<-begun
			_ = next(ctx)
			return other
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, order := range [][]Middleware{{does{signal: test.signal}, NopMiddleware{}}, {NopMiddleware{}, does{signal: test.signal}}} {
				c := &chain{all: order, log: slog.New(slog.DiscardHandler)}
				calls := 0
				last := func(ctx context.Context) error {
					if ctx.Value(key{}) != "value" {
						t.Error("the context is not made of the caller's")
					}
					calls++
					return inner
				}
				run := c.around
				if test.always {
					run = c.always
				}
				err := run(context.WithValue(t.Context(), key{}, "value"), sent(last))
				if calls != test.calls {
					t.Errorf("done %d times, want %d", calls, test.calls)
				}
				if test.text != "" && (err == nil || !strings.Contains(err.Error(), test.text)) || test.text == "" && !errors.Is(err, test.err) {
					t.Errorf("error %v, want %v %s", err, test.err, test.text)
				}
			}
		})
	}
}

type key struct{}

func TestTheFirstMiddlewareIsOutermost(t *testing.T) {
	var told []string
	tell := func(name string) Middleware {
		return does{signal: func(ctx context.Context, next Next) error {
			told = append(told, name)
			defer func() { told = append(told, "/"+name) }()
			return next(ctx)
		}}
	}
	e, err := New(accepts{}, WithMiddleware(tell("a"), tell("b")), WithMiddleware(tell("c")))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.signalling(t.Context(), &backend.Signalled{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told, " "); got != "a b c /c /b /a" {
		t.Errorf("order %s", got)
	}
	_, err = New(nothing{}, WithMiddleware(NopMiddleware{}, nil))
	mustSay(t, err, "WithMiddleware", "number 2 is nil")
}

// inTx is a backend that starts in the caller's transaction.
type inTx struct {
	nothing
	started *backend.Start
}

func (b *inTx) StartTx(_ context.Context, _ any, s *backend.Start) error {
	b.started = s
	return nil
}

// carries is middleware that writes into carriers.
type carries struct{ NopMiddleware }

func (carries) Start(ctx context.Context, starts []*StartInfo, next Next) error {
	starts[0].Carrier["of"] = starts[0].Workflow
	return next(ctx)
}

func TestStartTxIsWithinTheMiddleware(t *testing.T) {
	db := &inTx{}
	for _, ms := range [][]Middleware{nil, {NopMiddleware{}}, {carries{}}} {
		e, err := New(db, WithMiddleware(ms...))
		if err != nil {
			t.Fatal(err)
		}
		wf := NewWorkflow[int, int]("wf")
		if _, err := wf.StartTx(t.Context(), e, nil, 1); err != nil {
			t.Fatal(err)
		}
		if len(ms) == 0 || ms[0] == Middleware(NopMiddleware{}) {
			if db.started.Carrier != nil {
				t.Errorf("a carrier that nobody wrote into: %v", db.started.Carrier)
			}
		} else if db.started.Carrier["of"] != "wf" {
			t.Errorf("carrier %v", db.started.Carrier)
		}
	}
}
