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

// acceptanceStories are the tests at the root, and whether each calls onEach, itself or by a function that does.
func acceptanceStories(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no acceptance tests: %v", err)
	}
	calls := map[string]map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				calls[f.Name.Name] = calledBy(f)
			}
		}
	}
	stories := map[string]bool{}
	for name, called := range calls {
		if !strings.HasPrefix(name, "Test") {
			continue
		}
		stories[name] = called["onEach"]
		for other := range called {
			stories[name] = stories[name] || calls[other]["onEach"]
		}
	}
	return stories
}

// calledBy are the functions of the package that a function calls.
func calledBy(f *ast.FuncDecl) map[string]bool {
	called := map[string]bool{}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok {
				called[id.Name] = true
			}
		}
		return true
	})
	return called
}
