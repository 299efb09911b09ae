package watch

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// fit makes text exactly as wide as a column: cut with an ellipsis, or filled with blanks.
func fit(text string, width int) string {
	if width <= 0 {
		return ""
	}
	text = ansi.Truncate(text, width, "…")
	return text + strings.Repeat(" ", max(width-ansi.StringWidth(text), 0))
}

// clean takes out of what users and their errors wrote whatever would move the cursor or turn the text around.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, s)
}
