package postgres

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed sql
var sqlFiles embed.FS

// queries are the files of the folder sql by their names, without .sql, made to name the schema in use.
type queries map[string]string

func loadQueries(schema string) (queries, error) {
	files, err := fs.Glob(sqlFiles, "sql/*.sql")
	if err != nil {
		return nil, err
	}
	q := make(queries, len(files))
	for _, file := range files {
		text, err := readQuery(sqlFiles, file)
		if err != nil {
			return nil, err
		}
		q[strings.TrimSuffix(path.Base(file), ".sql")] = inSchema(withoutComments(text), schema)
	}
	return q, nil
}

var include = regexp.MustCompile(`(?m)^-- include (\S+)$`)

// readQuery reads a query, with the parts that it has in common with others in the places of its includes.
func readQuery(files fs.FS, file string) (string, error) {
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return "", err
	}
	var failed error
	whole := include.ReplaceAllStringFunc(string(text), func(line string) string {
		part, err := readQuery(files, path.Join(path.Dir(file), include.FindStringSubmatch(line)[1]))
		failed = errors.Join(failed, err)
		return strings.TrimSuffix(part, "\n")
	})
	return whole, failed
}

// get is the text of a query. A wrong name is a mistake of this package that its tests find.
func (q queries) get(name string) string {
	text, ok := q[name]
	if !ok {
		panic(fmt.Sprintf("postgres: there is no sql/%s.sql", name))
	}
	return text
}

var qualified = regexp.MustCompile(`\bstent\.`)

// inSchema makes SQL that names the schema stent name another one.
func inSchema(text, schema string) string {
	if schema == "stent" {
		return text
	}
	return qualified.ReplaceAllLiteralString(text, pgx.Identifier{schema}.Sanitize()+".")
}

var comment = regexp.MustCompile(`(?m)\s*--.*$`)

// withoutComments keeps what is sent, and what the server logs, short.
func withoutComments(text string) string {
	return strings.TrimSuffix(strings.TrimSpace(comment.ReplaceAllString(text, "")), ";")
}
