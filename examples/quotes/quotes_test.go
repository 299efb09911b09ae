package quotes_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/memory"
	"github.com/stentgo/stent/examples/quotes"
)

type carrier struct{ quoted, charged atomic.Int32 }

func (c *carrier) Quote(context.Context, quotes.Parcel) (int, error) {
	c.quoted.Add(1)
	return 0, nil
}

func (c *carrier) Charge(_ context.Context, p quotes.Parcel) (string, error) {
	c.charged.Add(1)
	return "receipt-" + p.OrderID, nil
}

func TestAnOrderIsChargedOnce(t *testing.T) {
	var c carrier
	engine, err := core.New(memory.Open())
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Register(quotes.Handlers(&c)...); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- engine.Serve(ctx, core.WorkerConfig{}) }()
	for _, p := range []quotes.Parcel{{"7", 100, "Bremen"}, {"7", 100, "Bremen"}, {"8", 200, "Bremen"}} {
		run, err := quotes.Send.Start(t.Context(), engine, p)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Wait(t.Context()); err != nil || got != "receipt-"+p.OrderID {
			t.Errorf("%q, %v", got, err)
		}
	}
	if c.quoted.Load() != 1 || c.charged.Load() != 2 {
		t.Errorf("%d quotes for one town, %d charges for two orders", c.quoted.Load(), c.charged.Load())
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
