//go:build unix

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// report is what the soak saw. It is safe for concurrent use.
type report struct {
	out     io.Writer
	verbose bool
	began   time.Time

	mu         sync.Mutex
	injected   map[fault]int
	skipped    map[fault]string // why a fault was not injected
	checked    map[string]int   // how many things a check looked at
	violations map[string]int
	lines      []string
}

func newReport(out io.Writer, verbose bool) *report {
	return &report{
		out: out, verbose: verbose, began: time.Now(), injected: map[fault]int{}, skipped: map[fault]string{},
		checked: map[string]int{}, violations: map[string]int{},
	}
}

func (r *report) inject(f fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.injected[f]++
}

func (r *report) skip(f fault, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped[f] = why
}

// check counts what a check has looked at, so that one which saw nothing is not taken for one that passed.
func (r *report) check(what string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checked[what] += n
}

// violate says that something is wrong, once for the same text, and at once.
func (r *report) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.violations[text]++; r.violations[text] == 1 && len(r.violations) <= 40 {
		fmt.Fprintf(r.out, "VIOLATION: %s\n", text)
	}
}

func (r *report) violated() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, times := range r.violations {
		n += times
	}
	return n
}

// note keeps a line for the end.
func (r *report) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// tell prints what happens, where that was asked for.
func (r *report) tell(format string, args ...any) {
	if r.verbose {
		r.mu.Lock()
		defer r.mu.Unlock()
		fmt.Fprintf(r.out, "%6.1f s  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
	}
}

func (r *report) print() {
	n := r.violated()
	r.mu.Lock()
	defer r.mu.Unlock()
	total := 0
	var faults []string
	for _, f := range slices.Sorted(maps.Keys(r.injected)) {
		total += r.injected[f]
		faults = append(faults, fmt.Sprintf("%s %d", f, r.injected[f]))
	}
	fmt.Fprintf(r.out, "faults      %d: %s\n", total, strings.Join(faults, ", "))
	for _, f := range slices.Sorted(maps.Keys(r.skipped)) {
		fmt.Fprintf(r.out, "            NOT INJECTED: %s (%s)\n", f, r.skipped[f])
	}
	for _, line := range r.lines {
		fmt.Fprintln(r.out, line)
	}
	for _, what := range slices.Sorted(maps.Keys(r.checked)) {
		fmt.Fprintf(r.out, "checked     %7d  %s\n", r.checked[what], what)
	}
	fmt.Fprintf(r.out, "violations  %d\n", n)
}
