package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProgram(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--db", filepath.Join(t.TempDir(), "poller.sqlite"), "--id", "1"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		"Exporting as export-1.", `poll 1: 429 Too Many Requests, come back after "1"`, "poll 2: 500", "poll 3: 202 Accepted",
		"poll 4: it is ready", "Ready: 1234 rows at https://files.example.com/x-export-1.1.csv", "show export-1",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
