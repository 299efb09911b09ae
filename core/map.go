package core

import "github.com/stentgo/stent/core/backend"

// mapCalls makes a call of the callee with that name for each item, at most so many at once; 0 for all.
//
// Where they are not all made at once, a failure keeps the later ones from being made, and how many there were depends on
// what ended first. So that is kept, where it failed, for when the workflow runs again and everything is known from the
// beginning. Until it is kept, what the history holds of further calls belongs to this Map.
func mapCalls[I, O any](flow *Flow, name string, items []I, limit int, call func(in I) *Future[O]) ([]O, error) {
	if limit == 0 || limit > len(items) {
		limit = len(items)
	}
	var (
		futures = make([]*Future[O], 0, len(items))
		open    = make([]*step, 0, limit)
		failed  = false
		bounded = limit < len(items)
		stop    mapStop
		err     error
	)
	if bounded {
		if stop, err = flow.mapStop(); err != nil {
			return nil, err
		}
	}
	for {
		for len(futures) < len(items) && (!failed && len(open) < limit || stop.repeats(flow, name, len(futures))) {
			f := call(items[len(futures)])
			futures = append(futures, f)
			open = append(open, f.step)
		}
		if len(open) == 0 {
			break
		}
		flow.await(open)
		still := open[:0]
		for _, s := range open {
			if !s.resolved() {
				still = append(still, s)
			} else if s.failed() {
				failed = true
			}
		}
		open = still
	}
	if bounded && failed {
		if err := stop.keep(flow, len(futures)); err != nil {
			return nil, err
		}
	}
	return mapResults(flow, futures)
}

// mapResults are the results in the order of the calls, or the first error.
func mapResults[O any](flow *Flow, futures []*Future[O]) ([]O, error) {
	for _, f := range futures { // before any failure: whoever does without the results has to know
		if f.step.cancelled() {
			return nil, f.step.err()
		}
	}
	results := make([]O, 0, len(futures))
	for _, f := range futures {
		out, err := f.Get(flow)
		if err != nil {
			return nil, err
		}
		results = append(results, out)
	}
	return results, nil
}

// mapStop is where a Map stopped that had failed.
type mapStop struct {
	key   string
	known bool
	calls int // that were made
}

func (f *Flow) mapStop() (m mapStop, err error) {
	m.key = f.key("map", "")
	if s := f.run.byKey[m.key]; s != nil && s.kind == backend.SideEffect {
		m.known = true
		err = f.run.w.e.payloads.decode("map", "", s.result, &m.calls)
	}
	return m, err
}

// repeats tells whether the next call was made before, when so many have been repeated.
func (m *mapStop) repeats(flow *Flow, name string, made int) bool {
	if m.key == "" {
		return false
	}
	if m.known {
		return made < m.calls
	}
	return flow.recalls(name)
}

func (m *mapStop) keep(flow *Flow, calls int) error {
	s, added, err := flow.enter(backend.SideEffect, "map", m.key, 0)
	if err != nil || !added {
		return err
	}
	return flow.record(s, calls)
}
