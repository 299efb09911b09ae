package logctxtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
)

// script does the same with a logger that has the injector and with a plain one, and compares what they wrote.
type script struct {
	t                       *testing.T
	loggers                 [2]Logger
	injectedText, plainText bytes.Buffer
}

func newScript(t *testing.T, injector Injector, opts ...logctx.Option) *script {
	t.Helper()
	s := &script{t: t}
	s.loggers = [2]Logger{injector.New(&s.injectedText, opts...), injector.Plain(&s.plainText)}
	return s
}

// with goes on with other loggers, made of those there are.
func (s *script) with(derive func(Logger) Logger) {
	for i, l := range s.loggers {
		s.loggers[i] = derive(l)
	}
}

func (s *script) log(ctx context.Context, message string, keysAndValues ...string) {
	for _, l := range s.loggers {
		l.Log(ctx, message, keysAndValues...)
	}
}

// wantSame compares what was written since the last comparison, byte for byte.
func (s *script) wantSame() {
	s.t.Helper()
	defer s.reset()
	if s.injectedText.String() != s.plainText.String() {
		s.t.Errorf("with the injector:\n%swant, as without:\n%s", &s.injectedText, &s.plainText)
	}
	if s.plainText.Len() == 0 {
		s.t.Error("the plain logger has written nothing")
	}
}

// want compares what was written since the last comparison: each record is the plain one with these fields.
func (s *script) want(fields map[string]any) {
	s.t.Helper()
	defer s.reset()
	injected, plain := records(s.t, s.injectedText.Bytes()), records(s.t, s.plainText.Bytes())
	if len(plain) == 0 || len(injected) != len(plain) {
		s.t.Fatalf("%d records with the injector, %d without:\n%s%s", len(injected), len(plain), &s.injectedText, &s.plainText)
	}
	for i, want := range plain {
		maps.Copy(want, fields)
		if !reflect.DeepEqual(injected[i], want) {
			s.t.Errorf("record %v\n  want %v", injected[i], want)
		}
	}
}

// wantNothing tells that nothing was written with the injector since the last comparison.
func (s *script) wantNothing() {
	s.t.Helper()
	defer s.reset()
	if s.injectedText.Len() > 0 {
		s.t.Errorf("written, want nothing:\n%s", &s.injectedText)
	}
}

func (s *script) reset() {
	s.injectedText.Reset()
	s.plainText.Reset()
}

func records(t *testing.T, text []byte) (list []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(text) {
		r, err := record(line)
		if err != nil {
			t.Fatalf("%v, in the line %q", err, line)
		}
		list = append(list, r)
	}
	return list
}

// record reads a line. A name that comes twice, of which json.Unmarshal would take the last, is an error.
func record(line []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.Join(errors.New("not an object"), err)
	}
	r := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if _, twice := r[name.(string)]; twice {
			return nil, fmt.Errorf("the field %s comes twice", name)
		}
		r[name.(string)] = value
	}
	return r, nil
}

// activity is the n-th of a few tasks.
func activity(n int) core.TaskInfo {
	execution := "order-" + strconv.Itoa(n)
	return core.TaskInfo{
		ExecutionID: execution, TaskID: execution + ".2", WorkerID: "worker-1",
		Workflow: "order_workflow", Step: "charge_payment", Queue: "billing", Attempt: n,
	}
}

// inActivity is the context of activity(1).
func inActivity(t *testing.T) context.Context {
	return core.WithTaskInfo(t.Context(), activity(1), nil)
}

// fieldsOf are a task's fields under their own names, as JSON gives them back.
func fieldsOf(info core.TaskInfo) map[string]any {
	return map[string]any{
		"stent_execution_id": info.ExecutionID, "stent_task_id": info.TaskID, "stent_worker_id": info.WorkerID,
		"stent_step": info.Step, "stent_queue": info.Queue, "stent_attempt": float64(info.Attempt),
	}
}
