package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// none stands in a table where there is nothing.
const none = "-"

// date is a time as the lists show it.
func (s *screen) date(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return t.In(s.zone).Format("2006-01-02T15:04:05")
}

// clock is a time within an execution's story.
func (s *screen) clock(t time.Time) string { return t.In(s.zone).Format("15:04:05") }

// age is how long ago something was, in at most two units.
func age(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// number prints a whole number as one.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// payload shows stored JSON on one line, with a blank after each comma and colon. What is not JSON was written by the
// user's own codec.
func payload(data []byte) string {
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err == nil {
		return clean(spaced(compact.String()))
	}
	if utf8.Valid(data) {
		return clean(string(data))
	}
	return fmt.Sprintf("(%d bytes that are not JSON)", len(data))
}

// spaced adds the blanks to compact JSON, and shows the characters that encoding/json escapes for HTML as themselves.
func spaced(s string) string {
	var b strings.Builder
	for i, quoted := 0, false; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
			if r, ok := htmlEscapes[s[i:min(i+5, len(s))]]; ok {
				b.WriteByte(r)
				i += 4
			} else {
				b.WriteString(s[i-1 : i+1])
			}
			continue
		case c == '"':
			quoted = !quoted
			b.WriteByte(c)
		case !quoted && (c == ',' || c == ':'):
			b.WriteByte(c)
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

var htmlEscapes = map[string]byte{"u003c": '<', "u003e": '>', "u0026": '&'}

// custom shows a value of an execution's custom state; a string without its quotes.
func custom(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil && string(value) != "null" {
		return clean(text)
	}
	return payload(value)
}

// lines is a message that may have several lines, those after the first indented.
func lines(message string) string {
	all := strings.Split(strings.TrimSpace(message), "\n")
	for i, line := range all {
		all[i] = clean(strings.TrimRight(line, "\r"))
	}
	return strings.Join(all, "\n  ")
}

// clean makes what users and their errors wrote fit for a line of a terminal: a control sequence in a message must not
// move the cursor, nor turn the text around.
func clean(s string) string {
	if !strings.ContainsFunc(s, unfit) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unfit(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unfit(r rune) bool {
	return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}
