package cli

import (
	"strings"
	"unicode/utf8"
)

// table prints columns under headers, with " | " between them. A column is as wide as its widest cell, and at least as
// wide as it says; the last one is not padded.
type table struct {
	columns []column
	rule    int // how much longer than the headers the line under them is
	rows    [][]cell
}

type column struct {
	title string
	width int
}

type cell struct {
	text  string
	color color
}

func plain(text string) cell { return cell{text: clean(text)} }

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

func (s *screen) table(t *table) {
	widths := make([]int, len(t.columns))
	headers := make([]cell, len(t.columns))
	for i, c := range t.columns {
		widths[i] = max(c.width, utf8.RuneCountInString(c.title))
		headers[i] = cell{c.title, bold}
	}
	for _, row := range t.rows {
		for i, c := range row[:len(row)-1] {
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	length := t.rule + 3*(len(widths)-1)
	for _, w := range widths {
		length += w
	}
	s.row(headers, widths)
	s.printf("%s\n", strings.Repeat("-", length))
	for _, row := range t.rows {
		s.row(row, widths)
	}
}

func (s *screen) row(cells []cell, widths []int) {
	for i, c := range cells {
		if i > 0 {
			s.printf(" | ")
		}
		s.printf("%s", s.paint(c.color, c.text))
		if i < len(cells)-1 {
			s.printf("%s", strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)))
		}
	}
	s.printf("\n")
}
