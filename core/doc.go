// Package core is the engine: typed workflows and activities whose progress survives the process.
//
// A program states its activities and workflows once, as descriptors, binds them to functions, and serves them:
//
//	var (
//		Charge = core.NewActivity[Order, Receipt]("charge_payment", core.Retry(core.RetryPolicy{MaxAttempts: 5}))
//		Orders = core.NewWorkflow[Order, Receipt]("order_workflow")
//	)
//
//	func order(flow *core.Flow, o Order) (Receipt, error) { return Charge.Call(flow, o) }
//
//	engine, err := core.New(db)
//	err = engine.Register(Charge.Handle(svc.Charge), Orders.Handle(order))
//	go engine.Serve(ctx, core.WorkerConfig{Slots: 100})
//
//	run, err := Orders.Start(ctx, engine, in, core.ID("order-42"))
//	receipt, err := run.Wait(ctx)
//
// # What is kept, and what a workflow may do
//
// Each call that a workflow makes is found again by its key: the name of what is called and its ordinal among the
// calls to that name, or what [Key] says. The first time the call is written to the database and done; when the
// workflow runs again, after a crash or because it was put aside while it waited, the call returns what the database
// holds. So a workflow must make the same calls in the same order whenever it runs again with the same input: no I/O,
// no clock, no random numbers, no iteration over maps, no goroutines of its own. All of that belongs into activities,
// which are ordinary functions with a [context.Context].
//
// A completed activity is never run again. One that was interrupted is: activities are run at least once, and their
// effects on other systems should be idempotent; the id in [TaskInfo] is the same for all attempts.
//
// # Imports
//
// The package knows no SQL and no telemetry library; it is given a [github.com/stentgo/stent/core/backend.Backend].
package core
