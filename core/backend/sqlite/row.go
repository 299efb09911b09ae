package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// row reads the columns of one row from the left to the right.
type row struct {
	values []driver.Value
	at     int
	err    error
}

func (r *row) next() driver.Value {
	v := r.values[r.at]
	r.at++
	return v
}

// text reads a string; NULL is "".
func (r *row) text() string {
	switch v := r.next().(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// int reads a number; NULL is 0.
func (r *row) int() int64 {
	n, _ := r.next().(int64)
	return n
}

func (r *row) bool() bool { return r.int() != 0 }

func (r *row) float() float64 {
	switch v := r.next().(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return 0
}

// bytes reads a payload; NULL is nil.
func (r *row) bytes() []byte {
	switch v := r.next().(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

// time reads a time; NULL is the zero time.
func (r *row) time() time.Time {
	n, ok := r.next().(int64)
	if !ok {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// list reads a list of strings.
func (r *row) list() []string {
	var l []string
	r.json(&l)
	return l
}

// dict reads a map of strings.
func (r *row) dict() map[string]string {
	text := r.text()
	if text == "" || r.err != nil {
		return nil
	}
	m, err := backend.DecodeDict(text)
	if err != nil {
		r.err = fmt.Errorf("column %d: %w", r.at, err)
	}
	return m
}

// limits reads a map of numbers.
func (r *row) limits() map[string]int {
	var m map[string]int
	r.json(&m)
	return m
}

// failure reads a failure; NULL is nil.
func (r *row) failure() *backend.Failure {
	var f *backend.Failure
	r.json(&f)
	return f
}

// json reads JSON; NULL and "" leave to as it is.
func (r *row) json(to any) {
	text := r.text()
	if text == "" || r.err != nil {
		return
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		r.err = fmt.Errorf("column %d: %w", r.at, err)
	}
}

// list is a list of strings as it is stored.
func list[S ~string](l []S) string {
	if len(l) == 0 {
		return ""
	}
	return encode(l)
}

// dict is a map of strings as it is stored.
func dict(m map[string]string) any {
	if len(m) == 0 {
		return nil
	}
	return backend.EncodeDict(m)
}

// limits is a map of numbers as it is stored.
func limits(m map[string]int) any {
	if len(m) == 0 {
		return nil
	}
	return encode(m)
}

// failure is a failure as it is stored.
func failure(f *backend.Failure) any {
	if f == nil {
		return nil
	}
	return encode(f)
}

// appendJSON appends a string as JSON.
func appendJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(b, encode(s)...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// encode is for values that always have a JSON form.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers, and lists and maps of them
	}
	return string(b)
}
