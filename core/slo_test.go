package core

import (
	"context"
	"maps"
	"math"
	"strings"
	"testing"
)

func TestSLOs(t *testing.T) {
	charge := NewActivity[int, int]("charge", SLO(0.999))
	order := NewWorkflow[int, int]("order", SLO(0.95))
	mail := NewActivity[int, int]("mail")
	activity := func(_ context.Context, in int) (int, error) { return in, nil }
	engine := testEngine(t, charge.Handle(activity), mail.Handle(activity),
		order.Handle(func(_ *Flow, in int) (int, error) { return in, nil }))
	if got, want := engine.SLOs(), map[string]float64{"charge": 0.999, "order": 0.95}; !maps.Equal(got, want) {
		t.Errorf("SLOs() = %v, want %v", got, want)
	}

	for _, ratio := range []float64{0, 1, -1, 99.9, math.NaN(), math.Inf(1)} {
		bad := NewActivity[int, int]("bad", SLO(ratio))
		if err := engine.Register(bad.Handle(activity)); err == nil || !strings.Contains(err.Error(), "above 0 and below 1") {
			t.Errorf("SLO(%v) is accepted: %v", ratio, err)
		}
	}
}
