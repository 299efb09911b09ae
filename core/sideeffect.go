package core

import (
	"strconv"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Now is the time at which the workflow first came here.
func (f *Flow) Now() (time.Time, error) {
	return SideEffect(f, "now", func() time.Time { return f.run.w.e.clock.Now().UTC() })
}

// NewID is a UUID of version 7, the same whenever the workflow runs again.
func (f *Flow) NewID() (string, error) {
	return SideEffect(f, "new_id", func() string { return newID(f.run.w.e.clock.Now()) })
}

// SideEffect keeps the value that fn returns the first time; when the workflow runs again, fn is not called. It is for
// small, quick values that differ from time to time, such as random numbers; anything that can fail or takes time
// belongs into an activity. If the process dies right after fn, fn is called again.
func SideEffect[T any](f *Flow, name string, fn func() T) (T, error) {
	var out T
	if err := checkName("side effect", name); err != nil {
		return out, NonRetryable(err)
	}
	s, added, err := f.enter(backend.SideEffect, name, "", 0)
	if err != nil {
		return out, err
	}
	if added {
		if err := f.record(s, fn()); err != nil {
			return out, err
		}
	}
	return out, f.run.w.e.payloads.decode("side effect ", name, s.result, &out)
}

// record makes v the value of a new step.
func (f *Flow) record(s *step, v any) error {
	data, err := f.run.w.e.payloads.encode("recorded value ", s.key, v)
	if err != nil {
		return err
	}
	s.state, s.result = backend.Completed, data
	f.add(s, backend.Add{State: backend.Completed, Result: data})
	return nil
}

// Version lets the code of a workflow change under executions that are on their way. It returns the version of the
// change named id that this execution goes by: maxVersion where it comes here for the first time, and that for ever
// after; minVersion where it was here before there was this call. A version outside of the two, from a program that knew
// a later one or from before support for it was dropped, is a non-determinism that the execution fails with.
//
//	v, err := flow.Version("charge in two steps", 0, 1)
//	if v == 0 { ... } else { ... }
//
// minVersion is usually 0, for the code as it was before the call to Version.
func (f *Flow) Version(id string, minVersion, maxVersion int) (int, error) {
	if err := checkName("version", id); err != nil {
		return 0, NonRetryable(err)
	}
	key := "version:" + id
	f.mustLive()
	s := f.run.byKey[key]
	switch {
	case s == nil && f.run.unasked > 0:
		return minVersion, nil // what follows was recorded before there was this call
	case s == nil || !s.asked:
		var added bool
		var err error
		if s, added, err = f.enter(backend.SideEffect, "version", key, 0); err != nil {
			return 0, err
		}
		if added {
			if err := f.record(s, maxVersion); err != nil {
				return 0, err
			}
		}
	}
	var v int
	if err := f.run.w.e.payloads.decode("version ", id, s.result, &v); err != nil {
		return 0, err
	}
	if v < minVersion || v > maxVersion {
		f.abort(&NonDeterminismError{
			Execution: f.run.info.ExecutionID, Key: key,
			Recorded: "version " + strconv.Itoa(v),
			Asked:    "versions " + strconv.Itoa(minVersion) + " to " + strconv.Itoa(maxVersion),
		})
	}
	return v, nil
}
