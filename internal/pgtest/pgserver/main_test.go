package main

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/stentgo/stent/internal/pgtest"
)

func TestCommandFindsTheServer(t *testing.T) {
	var stdout, stderr bytes.Buffer
	err := run([]string{"sh", "-c", `echo "dsn=$` + pgtest.EnvDSN + `"; exit 7`}, &stdout, &stderr)

	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != 7 {
		t.Errorf("got %v, want the command's exit code 7", err)
	}
	if out := stdout.String(); !strings.HasPrefix(out, "PostgreSQL 1") || !strings.Contains(out, "\ndsn=postgres") {
		t.Errorf("printed %q, want the server's version and the command's output", out)
	}
}

func TestCommandThatIsNotThere(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if err := run([]string{"/no/such/command"}, &stdout, &stderr); err == nil || !strings.Contains(err.Error(), "/no/such/command") {
		t.Errorf("got %v, want an error that names the command", err)
	}
}
