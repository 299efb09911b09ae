package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := filepath.Join(dir, "reports")
	args := []string{"--db", filepath.Join(dir, "report.sqlite"), "--folder", folder, "--every", "50ms", "--reports", "4"}
	for _, want := range []string{"Reporting every 50ms as report-every-50ms-4.", "Going on with report-every-50ms-4."} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		for _, want := range []string{want, "Done: 4 reports.", "show report-every-50ms-4"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, out.String())
			}
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 4 {
		t.Errorf("%d files, %v", len(files), err)
	}
}
