package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProgram(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "cronreport.sqlite")
	for range 2 { // the second time the schedule is there
		var out bytes.Buffer
		if err := run(t.Context(), []string{"--db", file, "--cron", "@every 1s", "--reports", "2"}, &out); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		for _, want := range []string{"The next report is due at 20", "To sales@example.com: Sales of 20", " EUR\n"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, out.String())
			}
		}
	}
}
