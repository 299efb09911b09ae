package housetest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is one of the texts that people read.
type page struct {
	path string // below the root, with slashes
	text string
}

// pages are the README, the documentation, and what else lies beside the code for people to read.
func pages(t *testing.T) (all []page) {
	t.Helper()
	for _, pattern := range []string{"README.md", "CONTRIBUTING.md", "deploy/README.md", "bench/README.md", "examples/README.md", "alerts/runbooks/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no page %s: %v", pattern, err)
		}
		for _, file := range files {
			all = append(all, newPage(t, file))
		}
	}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			all = append(all, newPage(t, path))
		}
		return err
	})
	if err != nil || len(all) < 20 {
		t.Fatalf("%d pages, %v", len(all), err)
	}
	return all
}

func newPage(t *testing.T, file string) page {
	t.Helper()
	path, err := filepath.Rel(root, file)
	if err != nil {
		t.Fatal(err)
	}
	return page{filepath.ToSlash(path), read(t, file)}
}

// block is one fenced block of a page.
type block struct {
	language string
	line     int // where its text begins, from 1
	text     string
}

func (p page) blocks() (blocks []block) {
	var open *block
	n := 0
	for line := range strings.Lines(p.text) {
		n++
		mark, fenced := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fenced && open == nil:
			open = &block{language: mark, line: n + 1}
		case fenced:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += line
		}
	}
	return blocks
}

// TestEveryGoBlockIsCompiled: what a page shows as Go is a run of lines of one file that the compiler reads, in this module
// or in one beside it. A line "// ..." stands for lines that are left out.
func TestEveryGoBlockIsCompiled(t *testing.T) {
	sources := goSources(t)
	seen := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if b.language != "go" {
				continue
			}
			seen++
			found, nearest := false, 0
			for _, source := range sources {
				n := excerpt(codeLines(b.text), source)
				nearest = max(nearest, n)
				found = found || n < 0
			}
			if lines := codeLines(b.text); !found {
				t.Errorf("%s:%d: no file that is compiled has this code; the longest beginning that one has ends before %q", p.path, b.line, lines[nearest])
			}
		}
	}
	if seen < 35 {
		t.Errorf("only %d blocks of Go were seen", seen)
	}
}

// excerpt tells whether the lines stand in the source one after the other: -1, or how many of them do at most.
func excerpt(lines, source []string) (most int) {
	for at := range source {
		n, gap := 0, false
		for _, line := range source[at:] {
			for n < len(lines) && lines[n] == "// ..." {
				n, gap = n+1, true
			}
			if n == len(lines) {
				break
			}
			if line == lines[n] {
				n, gap = n+1, false
			} else if !gap {
				break
			}
		}
		if most = max(most, n); most == len(lines) {
			return -1
		}
	}
	return most
}

// codeLines are a text's lines without indentation, blank ones left out.
func codeLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return slices.DeleteFunc(lines, func(line string) bool { return line == "" })
}

// modules are the modules of this repository whose code a page may show. `make vet` compiles all of them.
var modules = []string{".", "examples/tracing", "examples/migrating", "e2e"}

// goSources are the lines of all Go files that the compiler reads on this machine, by file.
func goSources(t *testing.T) (sources [][]string) {
	t.Helper()
	for _, folder := range modules {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-json=Dir,GoFiles,TestGoFiles,XTestGoFiles", "./...")
		cmd.Dir = filepath.Join(root, folder)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v%s", cmd, err, stderr(err))
		}
		for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p struct {
				Dir                                string
				GoFiles, TestGoFiles, XTestGoFiles []string
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			for _, file := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
				sources = append(sources, codeLines(read(t, filepath.Join(p.Dir, file))))
			}
		}
	}
	return sources
}

// TestConfigurationShownIsThere: a block of YAML or of a Dockerfile is a run of lines of a file of this repository.
func TestConfigurationShownIsThere(t *testing.T) {
	var sources [][]string
	for _, pattern := range []string{"deploy/Dockerfile", "deploy/*.yml", "deploy/*/*.y*ml", "alerts/*.yml", "recorder/statsd/*.yml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no file %s: %v", pattern, err)
		}
		for _, file := range files {
			sources = append(sources, codeLines(read(t, file)))
		}
	}
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			shown := codeLines(b.text)
			if (b.language == "yaml" || b.language == "dockerfile") &&
				!slices.ContainsFunc(sources, func(source []string) bool { return excerpt(shown, source) < 0 }) {
				t.Errorf("%s:%d: no file under deploy has these lines", p.path, b.line)
			}
		}
	}
}

// TestEveryBlockSaysWhatItIs: the tests that compile and run what pages show go by the language, so none is left out by
// another name for it.
func TestEveryBlockSaysWhatItIs(t *testing.T) {
	known := map[string]string{
		"go": "compiled", "console": "run, by a test of internal/cli", "json": "read as JSON", "yaml": "a file under deploy", "dockerfile": "likewise", "promql": "read by make test-alerts, as a panel or a rule",
		"sql": "run, by the test of roles in core/backend/postgres", "mermaid": "a drawing", "text": "a drawing, or lines of a log", "diff": "applied, by TestWorkedExamplesApply", "": "a drawing",
	}
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if _, ok := known[b.language]; !ok {
				t.Errorf("%s:%d: a block of %q: what a shell is to run is `console`, with a $ before each command", p.path, b.line, b.language)
			}
			if b.language == "" && strings.Contains(b.text, "$ ") {
				t.Errorf("%s:%d: a command in a block without a language", p.path, b.line)
			}
			if b.language == "json" && !json.Valid([]byte(b.text)) {
				t.Errorf("%s:%d: this is not JSON", p.path, b.line)
			}
		}
	}
}

// TestEveryExampleIsListed: the list of the examples has each of them, and what it says is killed at every commit is.
func TestEveryExampleIsListed(t *testing.T) {
	list := read(t, filepath.Join(root, "examples", "README.md"))
	folders, err := filepath.Glob(filepath.Join(root, "examples", "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range folders {
		folder := filepath.Dir(file)
		name := filepath.Base(folder)
		if !strings.Contains(list, "]("+name+")") {
			t.Errorf("examples/README.md does not list %s", name)
		}
		if strings.HasSuffix(file, "_test.go") && strings.Contains(read(t, file), "crashtest.Everywhere(") && !strings.Contains(list, "["+name+"]("+name+") ×") {
			t.Errorf("examples/README.md does not say that %s is killed at every commit", name)
		}
	}
	for _, name := range crossed.FindAllStringSubmatch(list, -1) {
		tests, err := filepath.Glob(filepath.Join(root, "examples", name[1], "*_test.go"))
		if err != nil || !slices.ContainsFunc(tests, func(file string) bool { return strings.Contains(read(t, file), "crashtest.Everywhere(") }) {
			t.Errorf("examples/README.md says that %s is killed at every commit; its tests do not do it (%v)", name[1], err)
		}
	}
}

var crossed = regexp.MustCompile(`\]\((\w+)\) ×`)

// TestWorkedExamplesApply: what the architecture shows as changes can be made to the code as it is.
func TestWorkedExamplesApply(t *testing.T) {
	applied := 0
	for _, b := range newPage(t, filepath.Join(root, "docs", "architecture.md")).blocks() {
		if b.language != "diff" {
			continue
		}
		applied++
		cmd := exec.CommandContext(t.Context(), "patch", "-p1", "--dry-run", "--force", "--fuzz=0")
		cmd.Dir, cmd.Stdin = root, strings.NewReader(b.text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("docs/architecture.md:%d: these changes do not apply: %v\n%s", b.line, err, out)
		}
	}
	if applied < 4 {
		t.Errorf("%d worked examples", applied)
	}
}
