package housetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each known fault has stories, each story is a test, and each is told on every backend.
func TestEveryKnownFaultHasItsStories(t *testing.T) {
	stories := acceptanceStories(t)
	rows := 0
	for line := range strings.Lines(read(t, filepath.Join(root, "docs", "known-faults.md"))) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[1]) == "fault" {
			continue
		}
		rows++
		names := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`").FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 {
			t.Errorf("no story against: %s", strings.TrimSpace(cells[1]))
		}
		for _, name := range names {
			onEach, ok := stories[name[1]]
			switch {
			case !ok:
				t.Errorf("there is no story %s", name[1])
			case !onEach:
				t.Errorf("the story %s is not told on each backend", name[1])
			}
		}
	}
	if rows < 20 {
		t.Errorf("%d rows: has the table another form now?", rows)
	}
}

// acceptanceStories are the tests at the root, and whether each calls onEach.
func acceptanceStories(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no acceptance tests: %v", err)
	}
	stories := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			stories[f.Name.Name] = false
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && id.Name == "onEach" {
					stories[f.Name.Name] = true
				}
				return true
			})
		}
	}
	return stories
}
