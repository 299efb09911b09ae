package housetest

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// typed is a password on a command line, where everybody on the machine can read it in /proc or with ps.
var typed = regexp.MustCompile(`--db[ =]["']?(\w+://[^\s/@:]+:[^\s@]+@|[^"'\n]*password\s*=)`)

// No page, help text or file for deployment shows a way to start the command that puts a password among its arguments.
func TestNoPageTypesAPassword(t *testing.T) {
	for _, line := range []string{"stent --db postgres://app:secret@db/shop stats", "stent --db 'host=db password=secret'", "stent --db=\"password=x\""} {
		if !typed.MatchString(line) {
			t.Errorf("%s is not noticed", line)
		}
	}
	pages := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && strings.HasPrefix(d.Name(), ".") && path != root {
				return filepath.SkipDir
			}
			return err
		}
		switch filepath.Ext(path) {
		case ".md", ".golden", ".yml", ".yaml", ".sh":
			pages++
			if found := typed.FindString(read(t, path)); found != "" {
				t.Errorf("%s types a password: %s", path, found)
			}
		}
		return nil
	})
	if err != nil || pages < 50 {
		t.Errorf("%d pages, %v", pages, err)
	}
}
