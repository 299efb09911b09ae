package asynq

import (
	"context"
	"testing"

	"github.com/stentgo/stent/core"

	"github.com/stentgo/stent/core/backend/memory"
)

func TestAfter(t *testing.T) {
	engine, err := core.New(memory.Open())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- stentWork(ctx, engine) }()
	for range 2 { // the second is the same task, as with asynq.TaskID
		if err := stentEnqueue(ctx, engine, Picture{Source: "a.png"}); err != nil {
			t.Fatal(err)
		}
	}
	if done, err := Resizing.Attach(engine, "resize:a.png").Wait(ctx); !done || err != nil {
		t.Errorf("%t, %v", done, err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
