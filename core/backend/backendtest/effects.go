package backendtest

import (
	"encoding/json"
	"math"

	"github.com/stentgo/stent/core/backend"
)

var effects = []behaviour{
	{"counters add up and custom state is replaced", effectsApply},
	{"the number of effects that are in the database is kept with them", effectsSeen},
	{"a turn without effects leaves their number alone", effectsUntouched},
}

func effectsApply(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, EffectsSeen: 5, Effects: []backend.Effect{
		{Counter: "z", Delta: 0.5}, {Counter: "a", Delta: -1}, {Counter: "z", Delta: 2},
		{Custom: "phase", Value: json.RawMessage(`"one"`)}, {Custom: "phase", Value: json.RawMessage(`"two"`)},
	}})
	h.turn(w, &backend.Turn{Execution: "a", Token: token, EffectsSeen: 7, Effects: []backend.Effect{
		{Counter: "z", Delta: 1 << 40}, {Custom: "list", Value: json.RawMessage(`[1,{"a":null}]`)},
	}})
	p := h.progress("a")
	equal(h, "counters", p.Counters, []backend.Counter{{Name: "a", Value: -1}, {Name: "z", Value: 2.5 + 1<<40}})
	equal(h, "custom state", len(p.Custom), 2)
	equal(h, "names", [2]string{p.Custom[0].Name, p.Custom[1].Name}, [2]string{"list", "phase"})
	equal(h, "value", string(p.Custom[1].Value), `"two"`)
	var list []any
	h.ok(json.Unmarshal(p.Custom[0].Value, &list))
	equal(h, "value", list, []any{1.0, map[string]any{"a": nil}})
	h.that("a counter is a number", !math.IsNaN(p.Counters[0].Value))
}

func effectsSeen(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, EffectsSeen: 3, Effects: []backend.Effect{{Counter: "c", Delta: 1}},
		Added: []backend.Add{timer(1, 0)}, Yield: &backend.Yield{}})
	equal(h, "effects", h.execution("a").Effects, 3)
	got := h.claimOne(w)
	h.turn(w, &backend.Turn{Execution: "a", Token: got.Token, EffectsSeen: 4, Effects: []backend.Effect{{Counter: "c", Delta: 1}},
		Close: &backend.Close{State: backend.Completed}})
	equal(h, "effects", h.execution("a").Effects, 4)
	equal(h, "counters", h.progress("a").Counters, []backend.Counter{{Name: "c", Value: 2}})
}

func effectsUntouched(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, EffectsSeen: 1, Effects: []backend.Effect{{Counter: "c", Delta: 1}}})
	h.turn(w, &backend.Turn{Execution: "a", Token: token, EffectsSeen: 0, Added: []backend.Add{timer(1, 0)}})
	equal(h, "effects", h.execution("a").Effects, 1)
}
