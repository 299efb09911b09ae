package stenttest

import (
	"os"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/memory"
)

// AssertReplays fails the test unless the workflow among the handlers goes the way of an exported history: it makes the
// calls that the history holds, and, if the execution has ended, no others. No activity is run, so that handlers of
// activities are not needed. It works in a bubble and outside.
func AssertReplays(t testing.TB, history []byte, handlers ...core.Handler) {
	t.Helper()
	engine, err := core.New(memory.Open())
	if err == nil {
		err = engine.Register(handlers...)
	}
	if err == nil {
		err = engine.VerifyHistory(history)
	}
	if err != nil {
		t.Errorf("stenttest: %v", err)
	}
}

// AssertFileReplays is [AssertReplays] with a file that holds the history.
func AssertFileReplays(t testing.TB, file string, handlers ...core.Handler) {
	t.Helper()
	history, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	AssertReplays(t, history, handlers...)
}
