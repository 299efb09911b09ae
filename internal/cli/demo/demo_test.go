package demo

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// TestStreamFollowsFromSeed: the same seed makes the same orders, another one others, and each ten has all troubles.
func TestStreamFollowsFromSeed(t *testing.T) {
	orders := func(seed uint64) (all []Order) {
		s := &stream{rand: rand.New(rand.NewPCG(seed, 1))}
		for range 40 {
			o, _ := s.order()
			o.Placed = time.Time{}
			all = append(all, o)
		}
		return all
	}
	if !slices.Equal(orders(1), orders(1)) {
		t.Error("the same seed made other orders")
	}
	if slices.Equal(orders(1), orders(2)) {
		t.Error("another seed made the same orders")
	}
	for ten := range slices.Chunk(orders(3), 10) {
		seen := map[Trouble]int{}
		large := 0
		for _, o := range ten {
			seen[o.Trouble]++
			if o.Cents >= needsApproval {
				large++
			}
		}
		if seen[flaky] != 1 || seen[shaky] != 1 || seen[declined] != 1 || seen[outage] != 1 || large != 2 {
			t.Errorf("ten orders with troubles %v, %d large", seen, large)
		}
	}
}

// TestGateway holds which attempts fail, and that an outage ends.
func TestGateway(t *testing.T) {
	s := &shop{opened: time.Now().Add(-time.Hour)}
	now := time.Now()
	for _, c := range []struct {
		trouble Trouble
		placed  time.Time
		attempt int
		ok      bool
	}{
		{none, now, 1, true},
		{flaky, now, 1, false},
		{flaky, now, 2, true},
		{shaky, now, 2, false},
		{shaky, now, 3, true},
		{declined, now, 3, false},
		{outage, now, 3, false},
		{outage, now.Add(-outageLasts), 1, true},
		{outage, now.Add(-2 * time.Hour), 1, true},
	} {
		if err := s.gateway(Order{Trouble: c.trouble, Placed: c.placed}, c.attempt); (err == nil) != c.ok {
			t.Errorf("%s, placed %v ago, attempt %d: %v", c.trouble, now.Sub(c.placed), c.attempt, err)
		}
	}
}

// TestSummaryErrorEndsTheDemo: whoever shows the summary can end the demo, and gets its own error back.
func TestSummaryErrorEndsTheDemo(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "demo.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	enough := errors.New("enough")
	_, err = Run(t.Context(), Config{
		DB: db, Log: slog.NewTextHandler(io.Discard, nil), Rate: 1,
		Summary: func(Tally) error { return enough },
	})
	if !errors.Is(err, enough) {
		t.Errorf("Run says %v, want %v", err, enough)
	}
}

// TestBadEngineOption: what the engine refuses is told, and nothing is served.
func TestBadEngineOption(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "demo.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = Run(t.Context(), Config{DB: db, Log: slog.DiscardHandler, Rate: 1, Options: []core.Option{core.WithPayloadLimit(-1)}})
	if err == nil || !strings.Contains(err.Error(), "WithPayloadLimit") {
		t.Errorf("Run says %v", err)
	}
}
