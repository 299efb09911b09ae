//go:build unix && mutants

package main

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The judge finds out about every mutant, and has nothing against the same soak of Stent as it is.
func TestTheJudgeFindsEveryMutant(t *testing.T) {
	sane := map[string]bool{}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			overlay := "-overlay=" + m.overlay(t)
			if m.story != "" {
				failsOn(t, overlay, m.story)
			}
			out, violated := soakOf(t, overlay, m.soak)
			if !violated || !strings.Contains(out, "VIOLATION") || !strings.Contains(out, m.shows) {
				t.Fatalf("the soak found no violation with %q:\n%s", m.shows, out)
			}
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "VIOLATION") {
					t.Log(line)
					break
				}
			}
			if flags := strings.Join(m.soak, " "); !sane[flags] {
				sane[flags] = true
				if out, violated = soakOf(t, "-overlay=", m.soak); violated {
					t.Errorf("the same soak of Stent as it is:\n%s", out)
				}
			}
		})
	}
}

// failsOn runs a test at the root of the repository, which has to fail.
func failsOn(t *testing.T, flag, name string) {
	t.Helper()
	test := exec.CommandContext(t.Context(), "go", "test", flag, "-count=1", "-run", name, "../..")
	out, err := test.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--- FAIL: Test") {
		t.Errorf("%s does not fail: %v\n%s", name, err, out)
	}
}

// soakOf builds the soak with a flag and runs it.
func soakOf(t *testing.T, flag string, args []string) (out string, violated bool) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "soak")
	build := exec.CommandContext(t.Context(), "go", "build", flag, "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	args = append([]string{"-for", "20s", "-seed", "1"}, args...)
	run := exec.CommandContext(t.Context(), program, args...)
	var both bytes.Buffer
	run.Stdout, run.Stderr = &both, &both
	err := run.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if err != nil && !strings.Contains(both.String(), errViolated.Error()) {
		t.Fatalf("%v: %s", err, both.String())
	}
	return both.String(), err != nil
}
