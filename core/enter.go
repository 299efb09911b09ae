package core

import "context"

// Selective is what a [Middleware] can be besides, to cost nothing in executions where it has nothing to do.
type Selective interface {
	Middleware

	// Enter is called once when an execution comes into a worker's memory, before its first turn there, and once for each
	// activity that a worker has claimed by itself. The contexts of the execution's turns and of the activities that begin
	// beside them, or of that activity, are made of the one that it returns, which is made of its own.
	//
	// Where stays is false, neither Execute nor Ended is called for them: nobody has to look again.
	//
	// task is the execution's orchestrator, or that activity. Neither it nor the carrier is to be changed. A panic is
	// logged, and the middleware stays.
	Enter(ctx context.Context, task *TaskInfo, carrier map[string]string) (within context.Context, stays bool)
}

// entered asks the middleware that is selective, and returns the context that it made and those that stay.
func (c *chain) entered(ctx context.Context, task *TaskInfo, carrier map[string]string) (context.Context, chain) {
	stay := *c
	for i, m := range c.all {
		s, ok := m.(Selective)
		stays := true
		if ok {
			ctx, stays = c.enter(ctx, s, task, carrier) //nolint:fatcontext // one for each middleware
		}
		switch left := len(stay.all) < len(c.all); {
		case !stays && !left:
			stay.all = c.all[:i:i]
		case stays && left:
			stay.all = append(stay.all, m)
		}
	}
	return ctx, stay
}

func (c *chain) enter(ctx context.Context, s Selective, task *TaskInfo, carrier map[string]string) (within context.Context, stays bool) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked(ctx, s, v)
			within, stays = ctx, true
		}
	}()
	within, stays = s.Enter(ctx, task, carrier)
	if within == nil {
		within = ctx
	}
	return within, stays
}

// enter has the middleware choose before the run's first turn.
func (r *run) enter() {
	r.tasks, r.middleware = r.w.ctx, r.w.e.middleware
	if !r.middleware.any() {
		return
	}
	own := &r.flow.own
	own.Context = r.w.ctx
	r.tasks, r.middleware = r.middleware.entered(own, &r.info, r.carrier)
	r.flow.base = context.WithoutCancel(r.tasks)
	r.flow.ctx = r.flow.base
}

// enter has the middleware choose before an activity that was claimed by itself.
func (w *worker) enter(a *activityTask) context.Context {
	a.middleware = &w.e.middleware
	if !a.middleware.any() {
		return &a.ctx
	}
	ctx, stay := a.middleware.entered(&a.ctx, &a.info, a.carrier)
	a.middleware = &stay
	return ctx
}
