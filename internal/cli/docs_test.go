package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// What the documentation tells a person to type is typed here, by a real shell, and where a page shows what a command
// prints, it prints that. `go test ./internal/cli -run Docs -update` writes what was printed into the pages.
//
// A block is ```console; a command begins with "$ ", its further lines with "> ", and all else is what it printed. A line
// "..." stands for lines that are left out. Each page has a database of its own, of the 15th of January 2024, and commands
// change it for those that follow on the page.
func TestDocsCommands(t *testing.T) {
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "stent")); err != nil {
		t.Fatal(err)
	}
	// Whatever is posted to an Alertmanager or a collector is taken.
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(sink.Close)
	seen := 0
	for _, path := range docPages(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		blocks := consoleBlocks(string(text))
		if len(blocks) == 0 {
			continue
		}
		seen += len(blocks)
		name, err := filepath.Rel(filepath.Join("..", ".."), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			t.Parallel()
			b := testBackends[0]
			dir := t.TempDir()
			b.open = func(t *testing.T, c *testClock) (backend.Backend, string) {
				db, err := sqlite.Open(t.Context(), filepath.Join(dir, "shop.sqlite"), sqlite.Clock(c.Now), sqlite.Synchronous(sqlite.Normal))
				if err != nil {
					t.Fatal(err)
				}
				return db, "sqlite:shop.sqlite"
			}
			h := newHistory(t, b)
			h.tellAll()
			if tell, ok := docStories[filepath.ToSlash(name)]; ok {
				tell(h)
			}
			s := &session{t: t, bin: bin, dir: dir, dsn: h.dsn, now: h.clock.Now(), sink: sink.URL}
			if docPrograms[filepath.ToSlash(name)] {
				s.now, s.programs = time.Time{}, true
			}
			want := string(text)
			for _, b := range blocks {
				s.write(b.before)
				if now := s.play(b); *update {
					want = strings.Replace(want, b.text, now, 1)
				}
			}
			if want != string(text) {
				if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if seen < 10 {
		t.Errorf("only %d blocks of commands were seen", seen)
	}
}

// docStories are what the databases of some pages hold besides the executions of the other tests.
var docStories = map[string]func(*history){
	"docs/guides/child-workflows.md": (*history).tellDelivery,
	"docs/guides/tracing.md":         (*history).tellTraced,
	"docs/guides/testing.md":         (*history).tellDelivery,
	"docs/guides/schedules.md":       (*history).tellSchedules,
}

// docPrograms are the pages that build a program from nothing, step by step, as their reader does. There, a block of Go that is
// a whole file is written to the file that the text before it names, a block of changes is applied, Go's own command is run,
// and what it gets of this module is this checkout. Times are compared by their form.
var docPrograms = map[string]bool{"docs/getting-started.md": true}

func docPages(t *testing.T) (pages []string) {
	t.Helper()
	root := filepath.Join("..", "..")
	pages = []string{filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"), filepath.Join(root, "examples", "README.md"), filepath.Join(root, "deploy", "README.md")}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// console is one block: what stands before its first command, and the commands.
type console struct {
	before   string // what stands on the page between the block before and this one
	text     string
	commands []typed
}

// typed is a command as a page has it, and the lines that follow it there.
type typed struct {
	lines []string // as on the page
	shows []string
}

func consoleBlocks(text string) (blocks []console) {
	last := 0
	for _, at := range regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatchIndex(text, -1) {
		b := console{before: text[last:at[0]], text: text[at[2]:at[3]]}
		last = at[1]
		for line := range strings.Lines(b.text) {
			line = strings.TrimSuffix(line, "\n")
			last := len(b.commands) - 1
			switch {
			case strings.HasPrefix(line, "$ "):
				b.commands = append(b.commands, typed{lines: []string{line}})
			case last >= 0 && strings.HasPrefix(line, "> ") && len(b.commands[last].shows) == 0:
				b.commands[last].lines = append(b.commands[last].lines, line)
			case last >= 0:
				b.commands[last].shows = append(b.commands[last].shows, line)
			default:
				b.commands = append(b.commands, typed{lines: []string{"$ false # " + line}})
			}
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// session is a shell in a folder of its own, which knows the folder's database.
type session struct {
	t        *testing.T
	bin, dir string
	dsn      string
	now      time.Time // zero for the time that it is
	programs bool
	sink     string // the address of a server
}

// write puts the files of a page that builds a program where the page says, and applies its changes to them.
func (s *session) write(text string) {
	s.t.Helper()
	if !s.programs {
		return
	}
	for _, at := range regexp.MustCompile("(?ms)^```(go|diff)\n(.*?)^```$").FindAllStringSubmatchIndex(text, -1) {
		body := text[at[4]:at[5]]
		if text[at[2]:at[3]] == "diff" {
			cmd := exec.CommandContext(s.t.Context(), "patch", "-p1", "--fuzz=0")
			cmd.Dir, cmd.Stdin = s.dir, strings.NewReader(body)
			if out, err := cmd.CombinedOutput(); err != nil {
				s.t.Fatalf("patch: %v\n%s", err, out)
			}
			continue
		}
		names := regexp.MustCompile("`(\\w+\\.go)`").FindAllStringSubmatch(text[:at[0]], -1)
		if !strings.HasPrefix(body, "package ") || len(names) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(s.dir, names[len(names)-1][1]), []byte(body), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// play types a block's commands and returns the block with what they printed.
func (s *session) play(b console) string {
	s.t.Helper()
	var now strings.Builder
	for _, c := range b.commands {
		printed := s.run(c)
		for _, line := range c.lines {
			now.WriteString(line + "\n")
		}
		form := func(lines []string) []string { return lines }
		if s.programs {
			form = timeless
		}
		shown := c.shows
		if problem := differs(form(c.shows), form(printed)); problem != "" {
			if !*update || slices.Contains(c.shows, "...") {
				s.t.Errorf("%s\n%s; it printed\n%s", strings.Join(c.lines, "\n"), problem, strings.Join(printed, "\n"))
			}
			if *update && !slices.Contains(c.shows, "...") {
				blank := 0 // between two commands, for the eye
				for shown[len(shown)-1-blank] == "" {
					blank++
				}
				shown = append(printed, shown[len(shown)-blank:]...)
			}
		}
		for _, line := range shown {
			now.WriteString(line + "\n")
		}
	}
	return now.String()
}

// timeless are the lines with forms in place of times.
func timeless(lines []string) []string {
	text := testBackend{}.comparable(strings.Join(lines, "\n"))
	text = regexp.MustCompile(`\d{4}/\d\d/\d\d |\t\d+\.\d+s`).ReplaceAllString(text, "")
	return strings.Split(text, "\n")
}

// differs tells how what a page shows is not what was printed. A page may show nothing, or leave lines out with "...".
func differs(shown, printed []string) string {
	if strings.TrimSpace(strings.Join(shown, "")) == "" {
		return ""
	}
	for len(shown) > 0 && shown[len(shown)-1] == "" {
		shown = shown[:len(shown)-1]
	}
	n, gap := 0, false
	for _, line := range shown {
		if line == "..." {
			gap = true
			continue
		}
		at := n
		if gap {
			if i := slices.Index(printed[n:], line); i >= 0 {
				at = n + i
			}
		}
		if at >= len(printed) || printed[at] != line {
			return fmt.Sprintf("the page shows %q", line)
		}
		n, gap = at+1, false
	}
	if n < len(printed) && !gap {
		return fmt.Sprintf("the page does not show %q", printed[n])
	}
	return ""
}

// elsewhere are commands that pages tell people to type and that this test cannot: they need the network, a container, a
// cluster, or a server that a person has left running. All others are run.
var elsewhere = []string{"docker", "kubectl", "go install", "git clone", "curl"}

func (s *session) run(c typed) []string {
	s.t.Helper()
	var script strings.Builder
	for _, line := range c.lines {
		script.WriteString(line[2:] + "\n")
	}
	text := script.String()
	if slices.ContainsFunc(elsewhere, func(name string) bool { return strings.HasPrefix(text, name+" ") }) {
		if len(c.shows) > 0 && strings.TrimSpace(strings.Join(c.shows, "")) != "" {
			s.t.Errorf("%s is not run by any test, so a page does not say what it prints", strings.TrimSpace(text))
		}
		return nil
	}
	text = strings.ReplaceAll(text, "go run ./cmd/stent", "stent")
	text = regexp.MustCompile(`(?m)^stent watch.*$`).ReplaceAllString(text, "$0 --help >/dev/null") // it needs a terminal: make test-screen
	text = regexp.MustCompile(`postgres(ql)?://\S+`).ReplaceAllString(text, s.dsn)                  // that server is not here; its commands are
	text = regexp.MustCompile(`(demo.* --for) \d+s`).ReplaceAllString(text, "$1 2s")
	text = regexp.MustCompile(`http://localhost:(9093|4318)`).ReplaceAllString(text, s.sink)
	text = regexp.MustCompile(`(--listen|--metrics) \S*:9464`).ReplaceAllString(text, "$1 127.0.0.1:0")

	ctx, stop := context.WithTimeout(s.t.Context(), 10*time.Minute) // a page may have Go build all that a program needs
	defer stop()
	start := prelude
	if s.programs {
		start = programPrelude
	}
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", start+text)
	cmd.Dir = s.dir
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "PATH="+s.bin+":"+os.Getenv("PATH"), "STENT_DB="+s.dsn, "TZ=UTC", "ROOT="+root, commandAt+"="+s.now.Format(time.RFC3339),
		"LEFT_IN="+filepath.Join(s.bin, "folder."+filepath.Base(s.dir)), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := printedBy(cmd, goesOn.MatchString(text))
	if err != nil && slices.Contains(c.shows, err.Error()) {
		err = nil // as the page says
	}
	if err != nil {
		s.t.Errorf("%s: %v\n%s", strings.TrimSpace(text), err, out[max(0, len(out)-2000):])
	}
	if folder, err := os.ReadFile(filepath.Join(s.bin, "folder."+filepath.Base(s.dir))); err == nil && s.programs {
		s.dir = strings.TrimSpace(string(folder))
	}
	printed := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	for i, line := range printed {
		printed[i] = strings.TrimRight(line, " ")
	}
	return printed
}

// goesOn are the commands that end with Ctrl-C.
var goesOn = regexp.MustCompile(`^stent (--\S+ \S+ )*(exporter|alerts watch|demo\s*(#.*)?$)`)

// printedBy is what a command prints. One that goes on gets a Ctrl-C when it has printed a line.
func printedBy(cmd *exec.Cmd, goesOn bool) ([]byte, error) {
	if !goesOn {
		return cmd.CombinedOutput()
	}
	script := &cmd.Args[len(cmd.Args)-1]
	*script = strings.Replace(*script, prelude, "exec ", 1)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := bufio.NewReader(pipe)
	first, err := r.ReadBytes('\n')
	if err != nil {
		return first, errors.Join(err, cmd.Wait())
	}
	err = cmd.Process.Signal(syscall.SIGINT)
	rest, readErr := io.ReadAll(r)
	if waited := cmd.Wait(); cmd.ProcessState.ExitCode() != exitInterrupted {
		err = errors.Join(err, waited)
	}
	return append(first, rest...), errors.Join(err, readErr)
}

// prelude is what is not run but looked at: make's targets have to be there, and Go's packages. What would go on until
// Ctrl-C gets one when it has said that it works.
const prelude = `
make() { command make -C "$ROOT" --no-print-directory -n "$@" >/dev/null; }
go() { shift; for arg; do case $arg in ./*|.) (cd "$ROOT" && command go list "$arg" >/dev/null);; esac; done; }
`

// programPrelude is that of pages that build a program: only where this module comes from is another place.
const programPrelude = `
trap 'pwd >"$LEFT_IN"' EXIT
go() {
	if [ "$1 $2" = "get github.com/stentgo/stent" ]; then
		command go mod edit -require=github.com/stentgo/stent@v0.0.0 -replace=github.com/stentgo/stent="$ROOT"
	else
		command go "$@"
	fi
}
`

// commandAt is the variable by which this test's own program is the command stent, at a time.
const commandAt = "STENT_TEST_COMMAND_AT"

func TestMain(m *testing.M) {
	at := os.Getenv(commandAt)
	if at == "" || filepath.Base(os.Args[0]) != "stent" {
		os.Exit(m.Run())
	}
	now, err := time.Parse(time.RFC3339, at)
	if err != nil {
		panic(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT)
	clock := func() time.Time { return now }
	if now.IsZero() || slices.Contains(os.Args, "demo") { // a shop needs a day that goes on
		clock = time.Now
	}
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: clock, program: "stent"}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
