package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

// tellFamily is an execution in its second run that has called a workflow, and the child.
func (h *history) tellFamily() {
	h.t.Helper()
	h.clock.at(h.t, "10:30:00")
	h.start("order-7")
	h.claim()
	h.commit(&backend.Turn{Execution: "order-7", Token: 1, Continue: &backend.Continue{Run: 2, Base: 0, Input: []byte(`7`)}})
	h.clock.at(h.t, "10:30:05")
	child := &backend.Start{ID: "order-7/1", Workflow: "order_workflow", Queue: "default", Input: []byte(`1`)}
	other := &backend.Start{ID: "parcel-2", Workflow: "order_workflow", Queue: "billing", Input: []byte(`2`), Delay: 1e12}
	h.commit(&backend.Turn{Execution: "order-7", Token: 1, Added: []backend.Add{
		{Seq: 1, Key: "a", Kind: backend.Child, Step: "order_workflow", Queue: "default", State: backend.Waiting, Delay: -1, Child: child},
		{Seq: 2, Key: "b", Kind: backend.Child, Step: "order_workflow", Queue: "billing", State: backend.Waiting, Delay: -1, Child: other},
	}})
	h.claim()
	h.clock.at(h.t, "10:30:10")
	parent := task("order-7", 1)
	h.commit(&backend.Turn{Execution: "order-7/1", Token: 1, Close: &backend.Close{State: backend.Completed, Result: []byte(`1`), Parent: &parent}})
}

func TestShowTellsOfChildrenParentAndRun(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellFamily()
	for id, want := range map[string]string{
		"order-7": `ID: order-7
State: running
Started At: 2024-01-15T10:30:00
Run: 2

Progress:
[10:30:00] > order_workflow (running)
[10:30:05] > order_workflow (running) as parcel-2
[10:30:10] + order_workflow (completed) as order-7/1
`,
		"order-7/1": `ID: order-7/1
Parent: order-7
State: completed
Started At: 2024-01-15T10:30:05
Completed At: 2024-01-15T10:30:10

Progress:
[10:30:05] > order_workflow (running)
[10:30:10] + order_workflow (completed)

Result: 1
`,
	} {
		if got := h.run("show", id).stdout; got != want {
			t.Errorf("show prints\n%s\nwant\n%s", got, want)
		}
	}
	var parent, child executionDetailShape
	if err := json.Unmarshal([]byte(h.run("show", "order-7", "--json").stdout), &parent); err != nil {
		t.Fatal(err)
	}
	if parent.Run != 2 || parent.ParentID != nil || len(parent.Progress) != 3 || *parent.Progress[2].ChildID != "order-7/1" || parent.Progress[0].ChildID != nil {
		t.Errorf("as JSON: %+v", parent)
	}
	if err := json.Unmarshal([]byte(h.run("show", "order-7/1", "--json").stdout), &child); err != nil {
		t.Fatal(err)
	}
	if child.Run != 1 || child.ParentID == nil || *child.ParentID != "order-7" || *child.ParentTaskID != "order-7.1" {
		t.Errorf("as JSON: %+v", child)
	}
	if got := h.run("tasks", "--execution", "order-7").stdout; !strings.Contains(got, "order-7.2") {
		t.Errorf("tasks prints\n%s", got)
	}
}
