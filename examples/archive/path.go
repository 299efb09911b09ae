package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Path is the name of a file, which on most systems is any sequence of bytes. JSON holds only Unicode and would change
// the others without a word, so that the file is not found any more; they are stored in Go's quotes instead.
type Path string

// MarshalText implements [encoding.TextMarshaler].
func (p Path) MarshalText() ([]byte, error) {
	if utf8.ValidString(string(p)) && !strings.HasPrefix(string(p), `"`) {
		return []byte(p), nil
	}
	return []byte(strconv.Quote(string(p))), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *Path) UnmarshalText(text []byte) error {
	if len(text) == 0 || text[0] != '"' {
		*p = Path(text)
		return nil
	}
	unquoted, err := strconv.Unquote(string(text))
	*p = Path(unquoted)
	return err
}
