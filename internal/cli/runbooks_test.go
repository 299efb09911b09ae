package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/internal/pgtest"
)

// What a runbook tells a person to type at three in the morning works.
func TestRunbooks(t *testing.T) {
	folder := filepath.Join("..", "..", "alerts", "runbooks")
	files, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(alerts.Names()) {
		t.Errorf("%d pages for %d alerts", len(files), len(alerts.Names()))
	}
	for _, name := range alerts.Names() {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			checkPage(t, name, string(text), folder)
			h := newHistory(t, testBackends[0])
			h.tellAll()
			commands := regexp.MustCompile(`(?m)^\$ (.*)$`).FindAllStringSubmatch(string(text), -1)
			if len(commands) == 0 {
				t.Error("it says nothing to type")
			}
			for _, c := range commands {
				runCommand(t, h, c[1])
			}
			for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
				runSQL(t, block[1])
			}
		})
	}
}

// checkPage: a page has the same four questions as all, and its links resolve.
func checkPage(t *testing.T, name, text, folder string) {
	t.Helper()
	var headings []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			headings = append(headings, strings.TrimSpace(line))
		}
	}
	want := "# " + name + "|## What it means|## How bad it is|## What to type|## How it ends"
	if got := strings.Join(headings, "|"); got != want {
		t.Errorf("headings %s, want %s", got, want)
	}
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(folder, link[1])); err != nil {
			t.Errorf("a link leads nowhere: %s", link[1])
		}
	}
}

// runCommand types one line, with the names of this database in place of the words in capitals.
func runCommand(t *testing.T, h *history, line string) {
	t.Helper()
	line = strings.NewReplacer("EXECUTION", failedID, "TASK", failedID+".2", "STEP", "charge_payment", "QUEUE", "default",
		"WORKFLOW", "order_workflow").Replace(line)
	if args, ours := strings.CutPrefix(line, "stent "); ours {
		if r := h.run(strings.Fields(args)...); r.code != exitOK || r.stdout == "" {
			t.Errorf("%s: exit code %d, %s%s", line, r.code, r.stdout, r.stderr)
		}
		return
	}
	fields := strings.Fields(line)
	if out, err := exec.CommandContext(t.Context(), fields[0], fields[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
}

// runSQL has PostgreSQL run what is typed into psql.
func runSQL(t *testing.T, statements string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.PgConn().Exec(t.Context(), statements).ReadAll(); err != nil {
		t.Errorf("%s: %v", statements, err)
	}
}

// Each alert's link leads to a page in this repository.
func TestRunbookLinksResolve(t *testing.T) {
	for _, g := range alerts.Rules(alerts.Options{}) {
		for _, a := range g.Alerts {
			path, ours := strings.CutPrefix(a.Runbook, "https://github.com/stentgo/stent/blob/main/")
			if _, err := os.Stat(filepath.Join("..", "..", path)); !ours || err != nil {
				t.Errorf("%s: %s leads nowhere: %v", a.Name, a.Runbook, err)
			}
		}
	}
}
