//go:build screen && screenshot

package cli

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The measures of a picture of a terminal, in pixels.
const (
	charWidth, lineHeight = 8.4, 18.0
	fontSize              = 14
	margin, titleBar      = 14.0, 30.0
)

// palette are the sixteen colours of a dark terminal.
var palette = [16]string{
	"#1d1f28", "#ff6b6b", "#5ad695", "#f2c55c", "#6aa8ff", "#d38aea", "#4fd1d9", "#d8dee9",
	"#6b7280", "#ff8787", "#7ee2ae", "#ffd780", "#8fc0ff", "#e0a8f2", "#7ee3e9", "#ffffff",
}

const (
	foreground = "#d8dee9"
	background = "#14161d"
)

// style is how characters look.
type style struct {
	fg, bg             string // empty for the terminal's own
	bold, dim, reverse bool
}

// terminalSVG draws what tmux captured with its escape sequences.
func terminalSVG(screen string, width, height int, title string) string {
	w, h := float64(width)*charWidth+2*margin, float64(height)*lineHeight+2*margin+titleBar
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" role="img" aria-label="%s">`+"\n", w, h, w, html.EscapeString(title))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	for i, color := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, `<circle cx="%.0f" cy="18" r="5.5" fill="%s"/>`+"\n", 20+18*float64(i), color)
	}
	fmt.Fprintf(&b, `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%d" fill="%s">`+"\n", fontSize, foreground)
	fmt.Fprintf(&b, `<text x="%.1f" y="23" text-anchor="middle" fill="#8b93a1">%s</text>`+"\n", w/2, html.EscapeString(title))
	var s style
	for row, line := range strings.Split(strings.TrimRight(screen, "\n"), "\n") {
		column := 0
		for _, r := range runs(line, &s) {
			r.draw(&b, column, row)
			column += utf8.RuneCountInString(r.text)
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// run is a piece of a line in one style.
type run struct {
	text string
	style
}

var escapes = regexp.MustCompile(`\x1b\[([0-9;:]*)m`)

// runs cuts a line where its style changes; the style goes on from line to line.
func runs(line string, s *style) (all []run) {
	for {
		at := escapes.FindStringSubmatchIndex(line)
		if at == nil {
			return append(all, run{line, *s})
		}
		if at[0] > 0 {
			all = append(all, run{line[:at[0]], *s})
		}
		s.apply(strings.Split(strings.ReplaceAll(line[at[2]:at[3]], ":", ";"), ";"))
		line = line[at[1]:]
	}
}

// apply takes in the parameters of one SGR sequence.
func (s *style) apply(codes []string) {
	for i := 0; i < len(codes); i++ {
		n, _ := strconv.Atoi(codes[i]) // an empty one is 0, as it should be
		switch {
		case n == 0:
			*s = style{}
		case n == 1:
			s.bold = true
		case n == 2:
			s.dim = true
		case n == 22:
			s.bold, s.dim = false, false
		case n == 7, n == 27:
			s.reverse = n == 7
		case n >= 30 && n <= 37:
			s.fg = palette[n-30]
		case n >= 90 && n <= 97:
			s.fg = palette[n-90+8]
		case n == 39:
			s.fg = ""
		case n >= 40 && n <= 47:
			s.bg = palette[n-40]
		case n >= 100 && n <= 107:
			s.bg = palette[n-100+8]
		case n == 49:
			s.bg = ""
		case n == 38, n == 48:
			color, used := extended(codes[i+1:])
			i += used
			if n == 38 {
				s.fg = color
			} else {
				s.bg = color
			}
		}
	}
}

// extended reads "5;n" or "2;r;g;b", and says how many codes that was.
func extended(codes []string) (color string, used int) {
	n := make([]int, len(codes))
	for i := range codes {
		n[i], _ = strconv.Atoi(codes[i])
	}
	switch {
	case len(n) >= 4 && n[0] == 2:
		return fmt.Sprintf("#%02x%02x%02x", n[1], n[2], n[3]), 4
	case len(n) >= 2 && n[0] == 5 && n[1] < 16:
		return palette[n[1]], 2
	case len(n) >= 2 && n[0] == 5 && n[1] < 232:
		level := func(v int) int { return []int{0, 95, 135, 175, 215, 255}[v] }
		v := n[1] - 16
		return fmt.Sprintf("#%02x%02x%02x", level(v/36), level(v/6%6), level(v%6)), 2
	case len(n) >= 2 && n[0] == 5:
		v := 8 + 10*(n[1]-232)
		return fmt.Sprintf("#%02x%02x%02x", v, v, v), 2
	}
	return "", len(codes)
}

func (r run) draw(b *strings.Builder, column, row int) {
	n := utf8.RuneCountInString(r.text)
	x, y := margin+float64(column)*charWidth, margin+titleBar+float64(row)*lineHeight
	fg, bg := r.fg, r.bg
	if r.reverse {
		fg, bg = orDefault(bg, background), orDefault(fg, foreground)
	}
	if bg != "" && n > 0 {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, float64(n)*charWidth, lineHeight, bg)
	}
	trimmed := strings.TrimLeft(r.text, " ")
	x += float64(utf8.RuneCountInString(r.text)-utf8.RuneCountInString(trimmed)) * charWidth
	if trimmed = strings.TrimRight(trimmed, " "); trimmed == "" {
		return
	}
	attributes := ""
	if fg != "" {
		attributes += ` fill="` + fg + `"`
	}
	if r.bold {
		attributes += ` font-weight="bold"`
	}
	if r.dim {
		attributes += ` opacity="0.6"`
	}
	// The width is said, so that the columns stand one below the other in whatever font there is.
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
		x, y+lineHeight*0.75, float64(utf8.RuneCountInString(trimmed))*charWidth, attributes, strings.ReplaceAll(html.EscapeString(trimmed), " ", "\u00a0")) // browsers make one blank of many
}
