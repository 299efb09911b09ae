package backend_test

import (
	"testing"

	"github.com/stentgo/stent/core/backend"
)

// A text is a task's id in one way only, and comes back as it was.
func FuzzParseTaskID(f *testing.F) {
	for _, s := range []string{"", ".", "a.0", "a.b.1", "a.-1", "a.01", "a.+1", "a.1 ", ".1", "a.99999999999999999999", "ä.1", "a.1\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := backend.ParseTaskID(s)
		if err != nil {
			return
		}
		if id.String() != s || id.Execution == "" || id.Seq < 0 {
			t.Errorf("%q is %+v, which is %q", s, id, id)
		}
	})
}
