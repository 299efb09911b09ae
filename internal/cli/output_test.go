package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestClosedPipe: whoever reads only the first lines, as head does, hears no complaint.
func TestClosedPipe(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellAll()
	t.Setenv("STENT_DB", h.dsn)

	t.Run("of this process", func(t *testing.T) {
		r, w := io.Pipe()
		r.Close()
		expectQuiet(t, h, w)
	})
	t.Run("of the system", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		defer w.Close()
		expectQuiet(t, h, w)
	})
}

func expectQuiet(t *testing.T, h *history, stdout io.Writer) {
	t.Helper()
	var errs strings.Builder
	a := &app{stdin: strings.NewReader(""), stdout: stdout, stderr: &errs, now: h.clock.Now, program: "stent"}
	if code := a.run(t.Context(), []string{"list", "--json"}); code != exitOK || errs.Len() > 0 {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}

// TestFullDisk: an output that cannot be written is an error.
func TestFullDisk(t *testing.T) {
	h := newHistory(t, testBackends[0])
	t.Setenv("STENT_DB", h.dsn)
	var errs strings.Builder
	a := &app{stdin: strings.NewReader(""), stdout: fullDisk{}, stderr: &errs, now: h.clock.Now, program: "stent"}
	if code := a.run(t.Context(), []string{"list"}); code != exitError || errs.String() != "stent: no space left\n" {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestColors: padding counts what is seen, not the escape sequences, and colours are for terminals alone.
func TestColors(t *testing.T) {
	var out strings.Builder
	s := newScreen(&out, true, false)
	if s.color {
		t.Error("colours for something that is no terminal")
	}
	s.color = true
	tab := &table{columns: []column{{"State", 6}, {"N", 0}}}
	tab.add(cell{"done", green}, plain("1"))
	tab.add(plain("ümläut"), plain("2"))
	s.table(tab)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[1mState\x1b[0m  | \x1b[1mN\x1b[0m\n----------\n\x1b[32mdone\x1b[0m   | 1\nümläut | 2\n"
	if out.String() != want {
		t.Errorf("got\n%q, want\n%q", out.String(), want)
	}
}

func TestNoColor(t *testing.T) {
	terminal, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		terminal, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, too
	}
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !newScreen(terminal, false, false).color {
		t.Error("no colours on a terminal")
	}
	if newScreen(terminal, false, true).color {
		t.Error("colours in spite of --no-color")
	}
	t.Setenv("NO_COLOR", "1")
	if newScreen(terminal, false, false).color {
		t.Error("colours in spite of NO_COLOR")
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if newScreen(terminal, false, false).color {
		t.Error("colours on a dumb terminal")
	}
}

// TestTimesAreLocal: without --utc, times are those of the zone in which the person sits.
func TestTimesAreLocal(t *testing.T) {
	s := newScreen(io.Discard, false, false)
	s.zone = time.FixedZone("somewhere", 2*3600)
	at := time.Date(2024, 1, 15, 23, 30, 0, 0, time.UTC)
	if got := s.date(at); got != "2024-01-16T01:30:00" {
		t.Errorf("date is %s", got)
	}
	if got := s.clock(at); got != "01:30:00" {
		t.Errorf("clock is %s", got)
	}
	if got := newScreen(io.Discard, true, false).date(at); got != "2024-01-15T23:30:00" {
		t.Errorf("with --utc, date is %s", got)
	}
}

func TestCompletion(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellAll()
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"__complete", "show", "order-p"}, []string{panickedID, pendingID}},
		{[]string{"__complete", "dlq", "replay", ""}, []string{failedID + ".2"}},
		{[]string{"__complete", "list", "--state", ""}, []string{"cancelling", "timed_out"}},
		{[]string{"completion", "bash"}, []string{"__start_stent"}},
	} {
		got := h.run(c.args...)
		for _, want := range c.want {
			if got.code != exitOK || !strings.Contains(got.stdout, want) {
				t.Errorf("%q offers %q, want %q (exit code %d)", c.args, got.stdout, want, got.code)
			}
		}
	}
	t.Setenv("STENT_DB", "/nowhere/at/all")
	got := stent(context.Background(), h.clock, "__complete", "show", "")
	if got.code != exitOK || strings.Contains(got.stdout, "nowhere") {
		t.Errorf("without a database, completion says %q (exit code %d)", got.stdout, got.code)
	}
}
