//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// happening is what an entry of the ledger tells.
type happening string

const (
	began   happening = "began"   // an attempt at an activity
	did     happening = "did"     // its effect, right before it returns its result
	failed  happening = "failed"  // it returned an error, as its input says
	stopped happening = "stopped" // its context ended, and it did nothing
	told    happening = "told"    // metrics of a process so far

	migrated happening = "migrated" // by a newer program, where older ones began

	paused  happening = "paused"  // SIGSTOP to a process
	resumed happening = "resumed" // SIGCONT
	killed  happening = "killed"  // SIGKILL
)

// entry is a line of the ledger. Processes append at the same time, and the file has them in the order in which they
// were written: an append is atomic.
type entry struct {
	At      time.Time `json:"at"`
	Process int       `json:"p,omitempty"`
	What    happening `json:"e"`

	Worker  string `json:"w,omitempty"`
	Task    string `json:"t,omitempty"`
	Step    string `json:"s,omitempty"`
	Attempt int    `json:"a,omitempty"`
	Mark    string `json:"m,omitempty"` // of the attempt, never used twice
	Before  string `json:"b,omitempty"` // the mark of the result that came before it in its workflow

	Metrics map[string]int64 `json:"n,omitempty"`
}

// ledger is the file that activities write to and Stent knows nothing of.
type ledger struct {
	process int
	mu      sync.Mutex
	file    *os.File
}

func openLedger(path string, process int) (*ledger, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &ledger{process: process, file: f}, nil
}

// write appends an entry of this process.
func (l *ledger) write(e entry) error { return l.writeOf(l.process, e) }

func (l *ledger) writeOf(process int, e entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.At, e.Process = time.Now(), process
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = l.file.Write(append(line, '\n'))
	return err
}

// readLedger reads all entries in their order. A last line that a killed process left unfinished is an error too: a write
// is whole or not there.
func readLedger(path string) ([]entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []entry
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return all, nil
		}
		var e entry
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if err != nil {
			return nil, fmt.Errorf("ledger, line %d: %w", len(all)+1, err)
		}
		all = append(all, e)
	}
}
