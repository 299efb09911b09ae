package backend

import (
	"fmt"
	"strconv"
	"strings"
)

// TaskID names one task: its execution, and its place in the execution's history. Place 0 is the orchestrator.
//
// Its text form is the execution's id, a dot, and the place: "order-42.3". So a task's id tells where it belongs, and
// is found without an index of its own.
type TaskID struct {
	Execution string
	Seq       int
}

// MaxSeq is the last place that a history can have.
const MaxSeq = 1<<20 - 1

// String gives the text form.
func (id TaskID) String() string { return id.Execution + "." + strconv.Itoa(id.Seq) }

// IsRoot tells whether the task is the execution's orchestrator.
func (id TaskID) IsRoot() bool { return id.Seq == 0 }

// ParseTaskID reads the text form. An execution's id may itself contain dots: the last one counts.
func ParseTaskID(s string) (TaskID, error) {
	dot := strings.LastIndexByte(s, '.')
	if dot <= 0 {
		return TaskID{}, fmt.Errorf("task id %q: want EXECUTION.NUMBER, for example order-42.3", s)
	}
	seq, err := strconv.Atoi(s[dot+1:])
	if err != nil || seq < 0 || strconv.Itoa(seq) != s[dot+1:] {
		return TaskID{}, fmt.Errorf("task id %q: %q is not a task's number", s, s[dot+1:])
	}
	return TaskID{Execution: s[:dot], Seq: seq}, nil
}
