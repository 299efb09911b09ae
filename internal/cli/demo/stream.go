package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// stream is the orders that customers place, one after the other. What they want, and what goes wrong, follows from the
// seed.
type stream struct {
	engine *core.Engine
	rand   *rand.Rand
	number int // of the next order
	placed int // by this stream
	plan   []kind
	large  string // the execution of the first large order, which is left to a person
}

// kind is what sort of order comes next.
type kind struct {
	trouble Trouble
	large   bool
}

// opening is the first ten orders, so that a short demo has some of everything. Later tens are the same, shuffled.
var opening = []kind{
	{}, {trouble: flaky}, {trouble: declined}, {trouble: outage}, {large: true},
	{}, {trouble: shaky}, {large: true}, {}, {},
}

var customers = []string{"ada", "barbara", "edsger", "frances", "grace", "john", "ken", "leslie", "margaret", "niklaus"}

// newStream counts on from the orders that are there.
func newStream(ctx context.Context, e *core.Engine, db backend.Inspector, seed uint64) (*stream, error) {
	s := &stream{engine: e, rand: rand.New(rand.NewPCG(seed, 1)), number: 1001}
	newest, err := db.Executions(ctx, backend.ExecutionFilter{Workflow: WorkflowName, Limit: 100})
	if err != nil {
		return nil, err
	}
	for _, x := range newest {
		if digits, ok := strings.CutPrefix(x.ID, "order-"); ok {
			if n, err := strconv.Atoi(digits); err == nil && n >= s.number {
				s.number = n + 1
			}
		}
	}
	return s, nil
}

// next places one order. A number that another demo on this database has taken meanwhile is skipped.
func (s *stream) next(ctx context.Context) error {
	o, isLarge := s.order()
	for ; ; s.number++ {
		id := fmt.Sprintf("order-%d", s.number)
		o.ID = fmt.Sprintf("ORD-%d", s.number)
		_, err := orders.Start(ctx, s.engine, o, core.ID(id))
		if errors.Is(err, core.ErrAlreadyExists) {
			continue
		}
		if err != nil {
			return err
		}
		if isLarge && s.large == "" {
			s.large = id
		}
		s.number++
		return nil
	}
}

func (s *stream) order() (o Order, isLarge bool) {
	if len(s.plan) == 0 {
		s.plan = append(s.plan, opening...)
		if s.placed > 0 {
			s.rand.Shuffle(len(s.plan), func(i, j int) { s.plan[i], s.plan[j] = s.plan[j], s.plan[i] })
		}
	}
	k := s.plan[0]
	s.plan = s.plan[1:]
	s.placed++
	o = Order{
		Customer: customers[s.rand.IntN(len(customers))],
		Cents:    5_00 + s.rand.IntN(400_00),
		Placed:   time.Now().UTC(),
		Trouble:  k.trouble,
	}
	if k.large {
		o.Cents += needsApproval
	}
	return o, k.large
}
