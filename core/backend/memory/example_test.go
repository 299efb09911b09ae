package memory_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/memory"
)

func Example() {
	double := core.NewWorkflow[int, int]("double")
	engine, err := core.New(memory.Open())
	if err != nil {
		log.Fatal(err)
	}
	if err := engine.Register(double.Handle(func(_ *core.Flow, n int) (int, error) { return 2 * n, nil })); err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- engine.Serve(ctx, core.WorkerConfig{}) }()

	run, err := double.Start(ctx, engine, 21)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Wait(ctx))
	stop()
	fmt.Println(<-served)
	// Output:
	// 42 <nil>
	// <nil>
}
