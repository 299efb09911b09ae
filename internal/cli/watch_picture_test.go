//go:build screen && screenshot

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestDrawWatch draws docs/pictures/watch.svg: what `stent watch` shows of a demo that has been open for half a minute, as
// tmux has it, colours and all. It is no test, and `make screenshot` alone runs it.
func TestDrawWatch(t *testing.T) {
	dir := t.TempDir()
	stent := filepath.Join(dir, "stent")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", stent, "github.com/stentgo/stent/cmd/stent").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	demo := exec.CommandContext(t.Context(), stent, "--db", filepath.Join(dir, "shop.sqlite"), "demo", "--for", "2m", "--rate", "12", "--metrics", "off")
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = demo.Process.Kill(); _ = demo.Wait() })

	term := newTerminal(t, 108, 26)
	term.until(func(string) string {
		if _, err := os.Stat(filepath.Join(dir, "shop.sqlite")); err != nil {
			return "want a database"
		}
		return ""
	})
	term.enter("cd " + dir + "; stent --db shop.sqlite watch --interval 0.5s --utc")
	term.keys("Enter")
	term.shows("Throughput", "1 Queues")
	term.keys("3")
	<-time.After(40 * time.Second) // of a shop's life; the sparklines are of this time
	picture := terminalSVG(term.must("capture-pane", "-e", "-p", "-t", "w"), 108, 26, "stent watch")
	if err := os.WriteFile(filepath.Join("..", "..", "docs", "pictures", "watch.svg"), []byte(picture), 0o644); err != nil {
		t.Fatal(err)
	}
}
