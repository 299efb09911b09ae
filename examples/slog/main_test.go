package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// line is what log aggregation reads.
type line struct {
	Timestamp, Level, Message, Order string
	ExecutionID                      string `json:"execution_id"`
	TaskID                           string `json:"task_id"`
	WorkerID                         string `json:"worker_id"`
	Step                             string
	Attempt                          int
}

func TestTheLogTellsWhoWrote(t *testing.T) {
	var out bytes.Buffer
	setUpLog(&out)
	if err := run(t.Context(), "42"); err != nil {
		t.Fatal(err)
	}
	const execution = "order-42"
	checkLog(t, out.Bytes(), []line{
		{Level: "INFO", Message: "ready"},
		{Level: "INFO", Message: "order received", Order: "42", ExecutionID: execution, TaskID: execution + ".0", Step: "order_workflow", Attempt: 1},
		{Level: "INFO", Message: "order validated", Order: "42", ExecutionID: execution, TaskID: execution + ".1", Step: "validate_order", Attempt: 1},
		{Level: "WARN", Message: "bank is busy", Order: "42", ExecutionID: execution, TaskID: execution + ".2", Step: "charge_payment", Attempt: 1},
		{Level: "INFO", Message: "payment authorized", Order: "42", ExecutionID: execution, TaskID: execution + ".2", Step: "charge_payment", Attempt: 2},
		{Level: "INFO", Message: "order paid", Order: "42", ExecutionID: execution, TaskID: execution + ".0", Step: "order_workflow", Attempt: 1},
	})
}

// checkLog compares lines, of which those in a task have a worker and all have a time.
func checkLog(t *testing.T, text []byte, want []line) {
	t.Helper()
	var got []line
	for text := range bytes.Lines(text) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if l.Timestamp == "" || (l.WorkerID != "") != (l.ExecutionID != "") {
			t.Errorf("no time, or half a task: %s", text)
		}
		l.Timestamp, l.WorkerID = "", ""
		got = append(got, l)
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("line %d is not as wanted:\n%s\nwant\n%+v", i+1, text, want)
		}
	}
}

func TestThreeLinesWereChanged(t *testing.T) {
	changed := 0
	for _, name := range []string{"main.go", "orders.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.Lines(string(source)) {
			if strings.HasSuffix(text, "// +Stent\n") {
				changed++
			} else if strings.Contains(text, "stent/logctx") || strings.Contains(text, "stentslog.") {
				t.Errorf("%s: a line that needs the mark: %s", name, text)
			}
		}
	}
	if changed < 1 || changed > 3 {
		t.Errorf("%d lines changed, want at most 3", changed)
	}
}
