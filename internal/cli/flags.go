package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// limitFlag is how many to show.
type limitFlag int

func (l *limitFlag) String() string { return strconv.Itoa(int(*l)) }
func (l *limitFlag) Type() string   { return "number" }
func (l *limitFlag) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return errors.New("want a number, 1 or more")
	}
	*l = limitFlag(n)
	return nil
}

// stateFlag is one state or several, out of those that make sense for the thing.
type stateFlag struct {
	allowed []backend.State
	chosen  []backend.State
}

// executionStates are what an execution can be; taskStates, what a task can be.
var (
	executionStates = []backend.State{
		backend.Pending, backend.Running, backend.Cancelling, backend.Completed, backend.Failed, backend.Cancelled, backend.TimedOut,
	}
	taskStates = []backend.State{
		backend.Pending, backend.Running, backend.Waiting, backend.Completed, backend.Failed, backend.Cancelled, backend.TimedOut,
	}
)

func (f *stateFlag) String() string {
	words := make([]string, len(f.chosen))
	for i, s := range f.chosen {
		words[i] = string(s)
	}
	return strings.Join(words, ",")
}

func (f *stateFlag) Type() string { return "state" }

func (f *stateFlag) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		state := backend.State(strings.ToLower(strings.TrimSpace(word)))
		if !slices.Contains(f.allowed, state) {
			return fmt.Errorf("unknown state %q: want %s", word, f.names())
		}
		f.chosen = append(f.chosen, state)
	}
	return nil
}

func (f *stateFlag) names() string {
	words := make([]string, len(f.allowed))
	for i, s := range f.allowed {
		words[i] = string(s)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// since reads how far back to look: a duration before now, or a time.
func since(text string, now time.Time, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := core.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--since %q: want a duration such as 90s, 1.5h or 2d, or a time such as 2024-01-15 or 2024-01-15T10:30:00", text)
}
