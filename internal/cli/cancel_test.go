package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// cancelCases are typed one after the other.
var cancelCases = []struct {
	name string
	args []string
}{
	{"cancel_waiting", []string{"cancel", "order-w", "--yes", "--reason", "ordered twice"}},
	{"cancel_again", []string{"cancel", waitingID, "-y"}},
	{"cancel_pending_json", []string{"cancel", pendingID, "--yes", "--json"}},
	{"cancel_completed", []string{"cancel", completedID, "--yes"}},
	{"cancel_unknown", []string{"cancel", "nobody", "--yes"}},
	{"cancel_unasked", []string{"cancel", sleepingID}},
	{"cancel_why", []string{"why", waitingID}},
	{"cancel_show", []string{"show", waitingID}},
	{"cancel_show_cancelled", []string{"show", pendingID}},
	{"cancel_show_timed_out", []string{"show", "brief"}},
	{"cancel_show_limited", []string{"show", "limited"}},
	{"cancel_list_cancelling", []string{"list", "--state", "cancelling"}},
	{"cancel_list_cancelled", []string{"list", "--state", "cancelled"}},
	{"cancel_list_timed_out", []string{"list", "--state", "timed_out"}},
	{"cancel_help", []string{"cancel", "--help"}},
}

func TestCancelGolden(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellCompleted()
		h.tellWaiting()
		h.tellSleeping()
		h.clock.at(t, "11:00:00")
		h.start(pendingID)
		h.commit(&backend.Start{ID: "limited", Workflow: "order_workflow", Queue: "billing", Delay: time.Hour, MaxDuration: 48 * time.Hour})
		h.commit(&backend.Start{ID: "brief", Workflow: "order_workflow", Queue: "billing", Delay: time.Hour, MaxDuration: time.Second})
		h.clock.at(t, "11:00:05")
		for deadline := time.Now().Add(10 * time.Second); ; { // the other database's clock is its own
			x, err := h.db.Expire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(x.Executions) > 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("nothing has timed out")
			}
			<-time.After(10 * time.Millisecond)
		}
		for _, c := range cancelCases {
			t.Run(c.name, func(t *testing.T) {
				h.t = t
				b.golden(t, c.name, c.args, h.run(c.args...))
			})
		}
	})
}

// TestCancelAsks: without --yes a person is asked first, and only "y" and "yes" mean it.
func TestCancelAsks(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellWaiting()
	t.Setenv("STENT_DB", h.dsn)
	for _, answer := range []string{"", "n\n", "\n", "no\n", "yess\n", "Y\n"} {
		var out, errs strings.Builder
		a := &app{stdin: strings.NewReader(answer), stdout: &out, stderr: &errs, now: h.clock.Now, program: "stent"}
		code := a.run(t.Context(), []string{"cancel", waitingID})
		if !strings.HasPrefix(errs.String(), "Cancel order-waiting (order_workflow, running)? [y/N] ") {
			t.Errorf("%q: it asked %q", answer, errs.String())
		}
		x, err := h.db.Execution(t.Context(), waitingID)
		if err != nil {
			t.Fatal(err)
		}
		if meant := answer == "Y\n"; meant != (code == exitOK) || meant != (x.State == backend.Cancelling) {
			t.Errorf("%q: exit code %d, %s, %q", answer, code, x.State, errs.String())
		}
	}
}
