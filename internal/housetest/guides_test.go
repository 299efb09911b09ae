package housetest

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The Go code in a guide is compiled: each of its lines stands, as it is there, in a file of code.
func TestGuidesShowCodeThatExists(t *testing.T) {
	guides, err := filepath.Glob(filepath.Join(root, "docs/guides/*.md"))
	if err != nil || len(guides) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	lines := map[string]bool{}
	for _, folder := range []string{"examples", "logctx", "e2e"} {
		for _, file := range goFiles(t, filepath.Join(root, folder)) {
			for line := range strings.Lines(read(t, file)) {
				lines[strings.TrimSpace(line)] = true
			}
		}
	}
	for _, guide := range guides {
		shown := goLines(read(t, guide))
		for _, line := range shown {
			if !lines[line] {
				t.Errorf("%s shows a line that no example has: %s", guide, line)
			}
		}
		if len(shown) == 0 {
			t.Logf("%s shows no Go", guide)
		}
	}
}

// goLines are the lines of a text's blocks of Go.
func goLines(text string) (lines []string) {
	for i, block := range strings.Split(text, "\n```") {
		if code, ok := strings.CutPrefix(block, "go\n"); ok && i%2 == 1 {
			for line := range strings.Lines(code) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return slices.DeleteFunc(lines, func(line string) bool { return line == "" })
}

func goFiles(t *testing.T, folder string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".go" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
