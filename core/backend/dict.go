package backend

import (
	"encoding/json"
	"strings"
)

// EncodeDict is a map of strings, such as an execution's carrier, as an object in JSON: for backends that store it so.
func EncodeDict(m map[string]string) string {
	size := len("{}")
	for k, v := range m {
		if !isPlain(k) || !isPlain(v) {
			b, err := json.Marshal(m)
			if err != nil {
				panic(err) // every map of strings has a form
			}
			return string(b)
		}
		size += len(`"":"",`) + len(k) + len(v)
	}
	var b strings.Builder
	b.Grow(size)
	for k, v := range m {
		b.WriteByte("{,"[min(b.Len(), 1)])
		for _, s := range []string{`"`, k, `":"`, v, `"`} {
			b.WriteString(s)
		}
	}
	if b.Len() == 0 {
		return "{}"
	}
	b.WriteByte('}')
	return b.String()
}

// DecodeDict reads what EncodeDict wrote, or any other object of strings.
func DecodeDict(text string) (m map[string]string, err error) {
	if m, ok := decodePlain(text); ok {
		return m, nil
	}
	err = json.Unmarshal([]byte(text), &m)
	return m, err
}

// decodePlain reads an object that is written as EncodeDict does where nothing has to be escaped.
func decodePlain(text string) (m map[string]string, ok bool) {
	rest, ok := strings.CutPrefix(text, `{"`)
	m = map[string]string{}
	for ok {
		var k, v string
		if k, rest, ok = strings.Cut(rest, `":"`); !ok || !isPlain(k) {
			return nil, false
		}
		if v, rest, ok = strings.Cut(rest, `"`); !ok || !isPlain(v) {
			return nil, false
		}
		m[k] = v
		if rest == "}" {
			return m, true
		}
		rest, ok = strings.CutPrefix(rest, `,"`)
	}
	return nil, false
}

// isPlain tells whether a string is in JSON what it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
