// Package stenttest runs workflows in tests: the real engine on a database in memory, in a bubble of [testing/synctest],
// whose clock moves by itself when everything waits. A workflow that sleeps 30 days runs in milliseconds.
//
//	func TestAnOrderIsCharged(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			env := stenttest.New(t, Orders.Handle(order))
//			charge := stenttest.Stub(env, Charge, func(ctx context.Context, o Order) (Receipt, error) {
//				return Receipt{Of: o.ID}, nil
//			})
//			got, err := stenttest.Run(env, Orders, Order{ID: "42"})
//			...
//			charge.Called(1)
//		})
//	}
//
// # Time
//
// In a bubble all of package time is the bubble's: that of the engine, of the database, of activities and of the test
// itself. It stands while any goroutine of the bubble can go on, and jumps to the next timer when all of them wait. So
// time passes while the test waits in [Run], [Wait] or [Env.Advance], as much as the workflow needs, and not while the
// test looks at something. An activity that talks over a real socket holds the clock as long as the call takes; but an
// idle connection that is kept open holds it for ever, so give such a client DisableKeepAlives, or a [Stub] in its place.
//
// # Crashes
//
// [Crashes] runs a scenario again and again, and each time the program that works on the executions dies at another of
// its commits: before it was applied, or after it was applied and before the program was told. A new program goes on with
// what the database holds. [Env.CrashAfter] and [Env.Restart] do the same by hand.
//
// # Histories
//
// [AssertReplays] checks that today's code goes the way of an execution of yesterday, whose history core.Engine's
// ExportHistory, or `stent show ID --history`, has written.
package stenttest
