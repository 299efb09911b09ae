package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// screen is what a command prints to. It is buffered, and the first error of a write stays and is what Flush says.
type screen struct {
	*bufio.Writer
	zone  *time.Location
	color bool
}

func newScreen(w io.Writer, utc, noColor bool) *screen {
	s := &screen{Writer: bufio.NewWriter(w), zone: time.Local, color: !noColor && wantsColor(w)}
	if utc {
		s.zone = time.UTC
	}
	return s
}

// wantsColor follows https://no-color.org, and knows that a file or a pipe wants no colours.
func wantsColor(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (s *screen) printf(format string, args ...any) { fmt.Fprintf(s, format, args...) }

// field prints one line of a description.
func (s *screen) field(name, value string) { s.printf("%s: %s\n", s.paint(bold, name), value) }

// section begins a list that describes one side of a thing.
func (s *screen) section(name string) { s.printf("\n%s\n", s.paint(bold, name+":")) }

// color is an ANSI colour, as the parameter of its escape sequence.
type color string

const (
	noColor color = ""
	bold    color = "1"
	dim     color = "2"
	red     color = "31"
	green   color = "32"
	yellow  color = "33"
	cyan    color = "36"
)

func (s *screen) paint(c color, text string) string {
	if !s.color || c == noColor || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func colorOf(state backend.State) color {
	switch state {
	case backend.Completed:
		return green
	case backend.Failed, backend.TimedOut:
		return red
	case backend.Running:
		return cyan
	case backend.Cancelled:
		return dim
	default:
		return yellow
	}
}
