package core

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"github.com/stentgo/stent/core/backend"
)

// Fingerprint is the same for failures that differ only in numbers and ids, so that what failed for one reason can be
// counted, replayed or discarded together. It is 12 hexadecimal digits, computed from the type of the error, the engine's
// code, and the message; of a panic also from the function that panicked, without its line, since panics in different
// places often say the same.
//
// In the message each word that holds a digit counts as "#", and so does a list of such words: UUIDs, times, addresses,
// "order-42". Words are what stands between blanks, quotes, brackets and the like; of a path or URL each part is a word. Words
// without a digit, such as names of tables, stay apart, since a bulk operation had better take too little than too much.
// For the same reason a number stays that says what kind of error it is: the one after status, code, HTTP, SQLSTATE, errno
// or exit.
//
// It depends on nothing but the failure. A later release may compute it in another way.
func Fingerprint(f backend.Failure) string {
	text := f.Type + "\x00" + f.Code + "\x00" + template(f.Message)
	if f.Code == CodePanic {
		text += "\x00" + panickedIn(f.Stack)
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// Long messages are compared by their beginning: so much of one is read, and so much of its template counts.
const (
	templateReads  = 4096
	templateCounts = 300
)

// template is a message with numbers and ids taken out.
func template(message string) string {
	if len(message) > templateReads {
		message = message[:templateReads]
	}
	var (
		b    strings.Builder
		kind string // the last word, if it says what the number after it means
		list bool   // the text ends in #, and maybe separators of a list
		gap  string // those separators
	)
	for len(message) > 0 && b.Len() < templateCounts {
		word := message[:wordEnd(message)]
		if word == "" {
			r := firstRune(message)
			message = message[len(r):]
			switch {
			case list && strings.Contains(" \t\r\n,;&", r):
				gap += r
				continue
			case strings.TrimSpace(r) == "":
				r = " "
			}
			b.WriteString(gap + r)
			list, gap = false, ""
			continue
		}
		message = message[len(word):]
		name := strings.TrimRight(word, ".:-")
		switch {
		case !strings.ContainsFunc(name, unicode.IsDigit):
			b.WriteString(gap + word)
			list, gap = false, ""
		case kindWords[kind]:
			b.WriteString(gap + name)
			list, gap = false, ""
		case list: // one more of the list
			gap = ""
		default:
			b.WriteString("#")
			list = true
		}
		kind = strings.ToLower(name)
	}
	return strings.TrimSpace(b.String())
}

// kindWords come before a number that says what kind of error it is.
var kindWords = map[string]bool{"status": true, "code": true, "http": true, "sqlstate": true, "errno": true, "exit": true}

// wordEnd is where the word ends that a text begins with; 0 where it begins with something else.
func wordEnd(s string) int {
	for i, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.:@+%~", r) {
			return i
		}
	}
	return len(s)
}

func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}

// panickedIn is the function in which a panic began, from its stack: the first below the call of panic that is not the
// runtime's own.
func panickedIn(stack string) string {
	_, below, ok := strings.Cut(stack, "\npanic(")
	if !ok {
		below = stack
	}
	for line := range strings.Lines(below) {
		if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "runtime.") || strings.HasPrefix(line, "goroutine ") {
			continue
		}
		if open := strings.LastIndex(line, "("); open > 0 && !strings.HasPrefix(line, "{") {
			return line[:open]
		}
	}
	return ""
}
