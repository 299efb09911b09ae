package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProgram(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "batch.sqlite")
	for range 2 { // the second time it has been done
		var out bytes.Buffer
		if err := run(t.Context(), []string{"--db", file, "--pictures", "100", "--takes", "1ms"}, &out); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		for _, want := range []string{"Done: 99 thumbnails", "1 failed", "Failed: 0068.jpg", "dlq list", "show batch-100"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, out.String())
			}
		}
	}
}
