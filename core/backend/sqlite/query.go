package sqlite

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed sql/*.sql
var sqlFiles embed.FS

// query is one file of the folder sql. The driver looks named parameters up by name on every call, so they are
// numbered once, here.
type query struct {
	index int
	name  string
	text  string // with ? for each parameter
	order []int  // which argument each ? takes
}

// loader reads queries and keeps the first error.
type loader struct {
	count int
	seen  map[string]bool
	err   error
}

// load reads the query called name. params are the names of its parameters, in the order in which the program gives
// them.
func (l *loader) load(name, params string) *query {
	raw, err := sqlFiles.ReadFile("sql/" + name + ".sql")
	if err != nil && l.err == nil {
		l.err = err
	}
	q := &query{index: l.count, name: name}
	l.count++
	l.seen[name+".sql"] = true
	if err := q.number(string(raw), strings.Fields(params)); err != nil && l.err == nil {
		l.err = fmt.Errorf("sql/%s.sql: %w", name, err)
	}
	return q
}

// repeat reads a query that inserts one row of VALUES, which stands on a line, and has it insert so many.
func (l *loader) repeat(name, params string, rows int) *query {
	q := l.load(name, params)
	head, values, _ := strings.Cut(q.text, "VALUES ")
	row, tail, _ := strings.Cut(values, "\n")
	q.text = head + "VALUES " + strings.Repeat(row+",\n", rows-1) + row + "\n" + tail
	width, order := len(strings.Fields(params)), q.order
	for i := 1; i < rows; i++ {
		for _, at := range order {
			q.order = append(q.order, i*width+at)
		}
	}
	return q
}

// number replaces each :parameter outside of comments and strings with a question mark.
func (q *query) number(text string, params []string) error {
	used := make([]bool, len(params))
	var b strings.Builder
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "--"):
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				end = len(text) - i
			}
			i += end
		case text[i] == '\'':
			end := i + 1 + strings.IndexByte(text[i+1:], '\'') + 1
			b.WriteString(text[i:end])
			i = end
		case text[i] == ':':
			end := i + 1
			for end < len(text) && isName(text[end]) {
				end++
			}
			at := indexOf(params, text[i+1:end])
			if at < 0 {
				return fmt.Errorf("parameter %s is not given", text[i:end])
			}
			used[at] = true
			q.order = append(q.order, at)
			b.WriteByte('?')
			i = end
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	for i, u := range used {
		if !u {
			return fmt.Errorf("parameter :%s is not used", params[i])
		}
	}
	q.text = strings.TrimSuffix(strings.TrimSpace(b.String()), ";")
	return nil
}

func isName(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}
