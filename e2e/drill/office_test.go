package drill_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// customers are those who order at the office.
type customers struct {
	end     context.CancelFunc
	running sync.WaitGroup
}

// stop ends them, and returns when the last order is in.
func (c *customers) stop() {
	c.end()
	c.running.Wait()
}

// customers begin to order: five orders a second, and a few of what else the shop does.
func (s *stage) customers() *customers {
	ctx, cancel := context.WithCancel(s.ctx)
	c := &customers{end: cancel}
	s.t.Cleanup(c.stop)
	c.running.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		e := s.office.engine
		for n := 1; ctx.Err() == nil; n++ {
			errs := make([]error, 4)
			_, errs[0] = orders.Start(s.ctx, e, n)
			if n%2 == 0 {
				_, errs[1] = rates.Start(s.ctx, e, n)
			}
			if n%10 == 0 {
				_, errs[2] = errands.Start(s.ctx, e, errand{Activity: resize.Name(), N: n})
			}
			if n%8 == 0 {
				_, errs[3] = invoices.Start(s.ctx, e, n)
			}
			for _, err := range errs {
				if err != nil && s.ctx.Err() == nil {
					s.t.Errorf("order %d: %v", n, err)
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return c
}

// holds waits until a process works on so many tasks of a queue, and gives it more to do meanwhile.
func (s *stage) holds(name, queue string, tasks int, more ...errand) {
	s.t.Helper()
	s.eventually(time.Minute, func() error {
		for _, e := range more {
			s.must(errands.Start(s.ctx, s.office.engine, e))
		}
		n, err := s.held(name, queue)
		if err == nil && n < tasks {
			err = fmt.Errorf("%s works on %d tasks of %s, want %d", name, n, queue, tasks)
		}
		return err
	})
}

func (s *stage) held(name, queue string) (n int, err error) {
	running, err := s.office.engine.RunningActivities(s.ctx)
	for i := range running {
		if running[i].Queue == queue && strings.HasPrefix(running[i].Worker, name) {
			n++
		}
	}
	return n, err
}
