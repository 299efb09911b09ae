package otel_test

import (
	"testing"
	"time"

	"github.com/stentgo/stent/core"
)

// Three workers see a tick at the same moment, and one makes it: one span tells of it, and it is the root of the tree.
func TestATickIsOneDispatchHoweverManyWorkers(t *testing.T) {
	inBubble(t, func(s *shop) {
		var r recording
		ticked := core.NewWorkflow[string, string]("ticked")
		handler := ticked.Handle(func(_ *core.Flow, in string) (string, error) { return in, nil })
		for range 3 {
			s.serve(s.program(&r, handler))
		}
		if err := ticked.PutSchedule(s.Context(), s.program(nil, handler), core.Schedule{Name: "n", Cron: "@every 1m"}, "in"); err != nil {
			t.Fatal(err)
		}
		const ticks = 300 // of which some are seen by several at once
		<-time.After(ticks*time.Minute + time.Second)
		dispatches, executed := 0, 0
		for _, span := range r.spans() {
			switch span.name {
			case "stent.dispatch ticked":
				dispatches++
			case "stent.execute ticked":
				executed++
			}
		}
		if dispatches != ticks || executed != ticks {
			t.Errorf("%d dispatches and %d executions, want %d of each", dispatches, executed, ticks)
		}
	})
}
