package backendtest

import (
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

var signals = []behaviour{
	{"signals are kept in the order in which they came", signalOrder},
	{"a second signal with the same id changes nothing", signalTwice},
	{"one that was consumed and comes again changes nothing", signalConsumedTwice},
	{"an unknown execution is not found, one that has ended is finished", signalRefused},
}

func signalOrder(h *harness) {
	h.start("a", "b")
	for i := range 12 {
		s := &backend.Signalled{Execution: "a", ID: fmt.Sprint("id", 99-i), Name: fmt.Sprint("n", i%2), Payload: []byte{byte(i)}}
		h.commit("", s)
		h.is("signal", s.Err, nil)
		h.commit("", &backend.Signalled{Execution: "b", ID: s.ID, Name: "x"})
	}
	got := h.history("a").Signals
	equal(h, "signals", len(got), 12)
	for i, s := range got {
		want := backend.Signal{Seq: s.Seq, ID: fmt.Sprint("id", 99-i), Name: fmt.Sprint("n", i%2), Payload: []byte{byte(i)}, Sent: s.Sent}
		equal(h, "signal", s, want)
		h.that("it has a time", !s.Sent.IsZero())
		h.that("the places grow", i == 0 || s.Seq > got[i-1].Seq)
	}
}

func signalTwice(h *harness) {
	h.start("a", "b")
	first := &backend.Signalled{Execution: "a", ID: "1", Name: "n", Payload: []byte("first")}
	again := &backend.Signalled{Execution: "a", ID: "1", Name: "other", Payload: []byte("again")}
	elsewhere := &backend.Signalled{Execution: "b", ID: "1", Name: "n"}
	h.commit("", first)
	h.commit("", again, elsewhere)
	h.is("again", again.Err, nil)
	got := h.history("a").Signals
	equal(h, "signals", len(got), 1)
	equal(h, "payload", string(got[0].Payload), "first")
	equal(h, "signals elsewhere", len(h.history("b").Signals), 1)
}

func signalConsumedTwice(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	s := &backend.Signalled{Execution: "a", ID: "1", Name: "n"}
	h.commit("", s)
	wait := timer(1, -1)
	wait.Kind, wait.State, wait.Signal = backend.SignalWait, backend.Completed, h.history("a").Signals[0].Seq
	h.add(w, "a", token, wait)
	h.yield(w, "a", token)
	h.commit("", s)
	h.is("again", s.Err, nil)
	equal(h, "signals", len(h.history("a").Signals), 0)
	h.that("nobody is woken", h.execution("a").Due.IsZero())
}

func signalRefused(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Completed}})
	ended := &backend.Signalled{Execution: "a", ID: "1", Name: "n"}
	unknown := &backend.Signalled{Execution: "b", ID: "1", Name: "n"}
	other := newStart("c")
	h.commit("", ended, unknown, other)
	h.is("ended", ended.Err, backend.ErrFinished)
	h.is("unknown", unknown.Err, backend.ErrNotFound)
	h.is("another command", other.Err, nil)
	equal(h, "signals", len(h.history("a").Signals), 0)
}
