package core

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// historyFormat is the version of the form in which histories are exported. A reader refuses a newer one.
const historyFormat = 1

// exported is an execution's history as JSON: what is needed to run its workflow again up to where it was.
type exported struct {
	Format    int               `json:"stent_history"`
	Exported  time.Time         `json:"exported"`
	Execution exportedExecution `json:"execution"`
	Tasks     []exportedTask    `json:"tasks"`
	Signals   []exportedSignal  `json:"signals,omitempty"` // not consumed
}

type exportedExecution struct {
	ID         string           `json:"id"`
	Workflow   string           `json:"workflow"`
	Queue      string           `json:"queue"`
	State      backend.State    `json:"state"`
	Attempt    int              `json:"attempt"`
	Policy     exportedBytes    `json:"policy,omitempty"`
	Input      exportedBytes    `json:"input,omitempty"`
	Result     exportedBytes    `json:"result,omitempty"`
	Failure    *backend.Failure `json:"failure,omitempty"`
	Effects    int              `json:"effects,omitempty"`
	HealedFrom int              `json:"healed_from,omitempty"`
	HealedTo   int              `json:"healed_to,omitempty"`
	Parent     string           `json:"parent,omitempty"` // the id of the task that it is the call of
	Run        int              `json:"run,omitempty"`
	Base       int              `json:"base,omitempty"`

	Metadata map[string]string `json:"metadata,omitempty"`
}

type exportedTask struct {
	Seq       int              `json:"seq"`
	Key       string           `json:"key"`
	Kind      backend.Kind     `json:"kind"`
	Step      string           `json:"step"`
	State     backend.State    `json:"state"`
	Attempt   int              `json:"attempt"`
	Input     exportedBytes    `json:"input,omitempty"`
	InputHash int64            `json:"input_hash,omitempty"`
	Result    exportedBytes    `json:"result,omitempty"`
	Failure   *backend.Failure `json:"failure,omitempty"`
	Child     string           `json:"child,omitempty"`
	Detached  bool             `json:"detached,omitempty"`
}

type exportedSignal struct {
	Seq     int64         `json:"seq"`
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	Payload exportedBytes `json:"payload,omitempty"`
}

// exportedBytes is a payload: itself where it is JSON, which a reader likes to read, and {"base64": "..."} otherwise.
type exportedBytes []byte

type base64Bytes struct {
	Base64 []byte `json:"base64"`
}

func (b exportedBytes) MarshalJSON() ([]byte, error) {
	var compact bytes.Buffer
	if json.Compact(&compact, b) == nil && bytes.Equal(compact.Bytes(), b) && !bytes.HasPrefix(b, []byte(`{"base64":`)) {
		return b, nil
	}
	return json.Marshal(base64Bytes{b})
}

func (b *exportedBytes) UnmarshalJSON(data []byte) error {
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return err
	}
	if *b = compact.Bytes(); !bytes.HasPrefix(*b, []byte(`{"base64":`)) {
		return nil
	}
	var raw base64Bytes
	err := json.Unmarshal(data, &raw)
	*b = raw.Base64
	return err
}

// ExportHistory reads an execution with its history, as JSON, or says ErrNotFound. [Engine.VerifyHistory] checks it
// against a program's code, and stenttest.AssertReplays does so in a test. It holds the inputs and results of the
// execution: look at it before you keep it.
func (e *Engine) ExportHistory(ctx context.Context, id string) ([]byte, error) {
	all, err := e.db.History(ctx, []string{id})
	if err != nil {
		return nil, fmt.Errorf("export the history of %s: %w", id, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("export the history of %s: %w", id, ErrNotFound)
	}
	h := &all[0]
	x := exported{Format: historyFormat, Exported: h.Now, Execution: exportedExecution{
		ID: h.Execution.ID, Workflow: h.Execution.Workflow, Queue: h.Execution.Queue, State: h.Execution.State,
		Attempt: h.Execution.Attempt, Policy: h.Execution.Policy, Input: h.Execution.Input, Result: h.Execution.Result,
		Failure: h.Execution.Failure, Effects: h.Execution.Effects, HealedFrom: h.Execution.HealedFrom, HealedTo: h.Execution.HealedTo,
		Run: h.Execution.Run, Base: h.Execution.Base, Metadata: h.Execution.Metadata,
	}}
	if h.Execution.Parent != nil {
		x.Execution.Parent = h.Execution.Parent.String()
	}
	for _, t := range h.Tasks {
		x.Tasks = append(x.Tasks, exportedTask{
			Seq: t.ID.Seq, Key: t.Key, Kind: t.Kind, Step: t.Step, State: t.State, Attempt: t.Attempt,
			Input: t.Input, InputHash: t.InputHash, Result: t.Result, Failure: t.Failure,
			Child: t.Child, Detached: t.Detached,
		})
	}
	for _, s := range h.Signals {
		x.Signals = append(x.Signals, exportedSignal{Seq: s.Seq, ID: s.ID, Name: s.Name, Payload: s.Payload})
	}
	data, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("export the history of %s: %w", id, err)
	}
	return append(data, '\n'), nil
}

func readHistory(data []byte) (*backend.History, error) {
	var x exported
	if err := json.Unmarshal(data, &x); err != nil {
		return nil, fmt.Errorf("not an exported history: %w", err)
	}
	switch {
	case x.Format == 0 || x.Execution.ID == "":
		return nil, fmt.Errorf("not an exported history: it has no stent_history or no execution")
	case x.Format > historyFormat:
		return nil, fmt.Errorf("the history has format %d, this program knows formats up to %d: upgrade the program", x.Format, historyFormat)
	}
	h := &backend.History{Now: x.Exported, Execution: backend.Execution{
		ID: x.Execution.ID, Workflow: x.Execution.Workflow, Queue: x.Execution.Queue, State: x.Execution.State,
		Attempt: x.Execution.Attempt, Policy: x.Execution.Policy, Input: x.Execution.Input, Result: x.Execution.Result,
		Failure: x.Execution.Failure, Effects: x.Execution.Effects, HealedFrom: x.Execution.HealedFrom, HealedTo: x.Execution.HealedTo,
		Run: max(x.Execution.Run, 1), Base: x.Execution.Base, Metadata: x.Execution.Metadata,
	}}
	if x.Execution.Parent != "" {
		parent, err := backend.ParseTaskID(x.Execution.Parent)
		if err != nil {
			return nil, fmt.Errorf("the history's parent: %w", err)
		}
		h.Execution.Parent = &parent
	}
	last := x.Execution.Base
	if last < 0 || last > backend.MaxSeq {
		return nil, fmt.Errorf("not an exported history: its base is %d", last)
	}
	for _, t := range x.Tasks {
		if t.Seq <= last || t.Seq > backend.MaxSeq {
			return nil, fmt.Errorf("not an exported history: place %d follows place %d", t.Seq, last)
		}
		last = t.Seq
		h.Tasks = append(h.Tasks, backend.Task{
			ID: backend.TaskID{Execution: x.Execution.ID, Seq: t.Seq}, Workflow: x.Execution.Workflow, Key: t.Key, Kind: t.Kind, Step: t.Step,
			State: t.State, Attempt: t.Attempt, Input: t.Input, InputHash: t.InputHash, Result: t.Result, Failure: t.Failure,
			Child: t.Child, Detached: t.Detached,
		})
	}
	for _, s := range x.Signals {
		h.Signals = append(h.Signals, backend.Signal{Seq: s.Seq, ID: s.ID, Name: s.Name, Payload: s.Payload})
	}
	return h, nil
}
