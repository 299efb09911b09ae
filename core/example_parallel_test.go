package core_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/stentgo/stent/core"
)

var (
	Reserve = core.NewActivity[Line, string]("reserve")
	Quote   = core.NewActivity[string, int]("quote")
)

// Futures: both calls are under way before either is waited for.
func cheaper(flow *core.Flow, item string) (int, error) {
	north := Quote.Go(flow, "north/"+item)
	south := Quote.Go(flow, "south/"+item)
	n, err := north.Get(flow)
	if err != nil {
		return 0, err
	}
	s, err := south.Get(flow)
	return min(n, s), err
}

func ExampleFuture() {
	ctx := context.Background()
	wf := core.NewWorkflow[string, int]("cheaper")
	engine, stop := serve(wf.Handle(cheaper),
		Quote.Handle(func(_ context.Context, of string) (int, error) { return len(of), nil }))
	defer stop()

	run, err := wf.Start(ctx, engine, "kettle")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Wait(ctx))
	// Output: 12 <nil>
}

func reserveAll(flow *core.Flow, o Order) ([]string, error) {
	return Reserve.Map(flow, o.Lines, core.Parallel(10))
}

// Map keeps the order of its items, whichever is done first.
func ExampleActivity_Map() {
	ctx := context.Background()
	wf := core.NewWorkflow[Order, []string]("reserve_all")
	engine, stop := serve(wf.Handle(reserveAll),
		Reserve.Handle(func(_ context.Context, l Line) (string, error) { return fmt.Sprint(l.Count, " of ", l.Item), nil }))
	defer stop()

	run, err := wf.Start(ctx, engine, Order{Lines: []Line{{"tea", 3}, {"kettle", 1}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Wait(ctx))
	// Output: [3 of tea 1 of kettle] <nil>
}

// The first of two quotes counts, and nobody waits for longer than a second.
func quickest(flow *core.Flow, item string) (int, error) {
	north, south := Quote.Go(flow, "north/"+item), Quote.Go(flow, "south/"+item)
	patience := flow.Timer(time.Second)
	first, err := core.Select(flow, north, south, patience)
	if err != nil {
		return 0, err
	}
	switch first {
	case 0:
		return north.Get(flow)
	case 1:
		return south.Get(flow)
	default:
		return 0, errors.New("nobody has answered within a second")
	}
}

func ExampleSelect() {
	ctx := context.Background()
	wf := core.NewWorkflow[string, int]("quickest")
	engine, stop := serve(wf.Handle(quickest), Quote.Handle(func(ctx context.Context, of string) (int, error) {
		if of == "north/kettle" { // it never answers
			<-ctx.Done()
			return 0, context.Cause(ctx)
		}
		return 17, nil
	}))
	defer stop()

	run, err := wf.Start(ctx, engine, "kettle")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Wait(ctx))
	// Output: 17 <nil>
}

// A workflow may go on after failures: each has its own dead letter, and here a place in the result.
func reserveMost(flow *core.Flow, o Order) (reserved []string, err error) {
	var calls []*core.Future[string]
	for _, line := range o.Lines {
		calls = append(calls, Reserve.Go(flow, line, core.Key("reserve/"+line.Item)))
	}
	for i, call := range calls {
		where, err := call.Get(flow)
		var failed *core.ActivityError
		switch {
		case errors.As(err, &failed):
			reserved = append(reserved, "no "+o.Lines[i].Item)
		case err != nil:
			return nil, err // it was cancelled, say
		default:
			reserved = append(reserved, where)
		}
	}
	return reserved, nil
}

func ExampleActivityError() {
	ctx := context.Background()
	wf := core.NewWorkflow[Order, []string]("reserve_most")
	engine, stop := serve(wf.Handle(reserveMost), Reserve.Handle(func(_ context.Context, l Line) (string, error) {
		if l.Item == "unicorn" {
			return "", core.NonRetryable(errors.New("there are none"))
		}
		return l.Item, nil
	}))
	defer stop()

	run, err := wf.Start(ctx, engine, Order{Lines: []Line{{"tea", 3}, {"unicorn", 1}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Wait(ctx))
	// Output: [tea no unicorn] <nil>
}
