package promlint

import (
	"fmt"
	"regexp"
)

type token struct {
	kind string // name, number, duration, string, op, end
	text string
}

var tokens = regexp.MustCompile(`^(?:(\s+)|("(?:[^"\\]|\\.)*")|([0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdwy]))*|\$__[a-z_]+)|([0-9]+(?:\.[0-9]+)?)|([a-zA-Z_:][a-zA-Z0-9_:]*)|(==|!=|=~|!~|>=|<=|[-+*/><=(){}\[\],]))`)

func scan(text string) ([]token, error) {
	var list []token
	for at := 0; at < len(text); {
		m := tokens.FindStringSubmatch(text[at:])
		if m == nil {
			return nil, fmt.Errorf("at %q: not understood", text[at:])
		}
		for i, kind := range []string{"blank", "string", "duration", "number", "name", "op"} {
			if m[i+1] != "" && kind != "blank" {
				list = append(list, token{kind, m[i+1]})
			}
		}
		at += len(m[0])
	}
	return append(list, token{kind: "end"}), nil
}
