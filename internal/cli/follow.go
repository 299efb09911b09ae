package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// followEvery is how often show --follow looks again: a few rows by their keys.
const followEvery = 500 * time.Millisecond

// follow prints what happens to an execution as it happens, until it has ended; ctx ends it before.
func (a *app) follow(ctx context.Context, typed string) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := findExecution(ctx, db, typed)
	if err != nil {
		return err
	}
	again := time.NewTicker(followEvery)
	defer again.Stop()
	told := map[string]bool{}
	for {
		ended, err := a.followed(ctx, db, id, told)
		if err != nil || ended {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// followed looks once, and prints the lines of the story that told does not have.
func (a *app) followed(ctx context.Context, db backend.Backend, id string, told map[string]bool) (ended bool, err error) {
	d, err := readDetail(ctx, db, id)
	if err != nil {
		return false, err
	}
	if len(told) == 0 && !a.json {
		a.screen.field("ID", clean(d.ID))
		told[""] = true
	}
	for _, e := range d.story {
		line, err := a.line(e)
		if err != nil {
			return false, err
		}
		if !told[line] {
			told[line] = true
			a.screen.printf("%s", line)
		}
	}
	ended = d.State.Final()
	switch {
	case ended && a.json:
		line, err := json.Marshal(followShape{Execution: shapeDetail(d)})
		if err != nil {
			return false, err
		}
		a.screen.printf("%s\n", line)
	case ended:
		a.screen.field("State", a.screen.paint(colorOf(d.State), string(d.State)))
		a.screen.outcome(d)
	}
	return ended, a.screen.Flush()
}

// line is one line of the story, with its end.
func (a *app) line(e event) (string, error) {
	if a.json {
		line, err := json.Marshal(followShape{Progress: e.shape()})
		return string(line) + "\n", err
	}
	var text strings.Builder
	s := &screen{Writer: bufio.NewWriter(&text), zone: a.screen.zone, color: a.screen.color}
	s.event(e)
	err := s.Flush()
	return text.String(), err
}

// followShape is a line of `stent show --follow --json`: a step, or, as the last one, the execution as show --json has it.
type followShape struct {
	Progress  any `json:"progress,omitempty"`
	Execution any `json:"execution,omitempty"`
}
