package cli

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestReferenceSchema holds docs/reference/schema.md: the tables as they are in a database of each kind after all migrations,
// with what the migrations say of them.
func TestReferenceSchema(t *testing.T) {
	lite, post := sqliteSchema(t), postgresSchema(t)
	notes := schemaNotes(t)
	var b strings.Builder
	b.WriteString("<!-- Generated from real databases: go test ./internal/cli -run Reference -update -->\n\n# Schema\n\n" +
		"What is in the database, for those who look into it with SQL. It is no interface: a migration may change all of it, and what writes " +
		"to it by hand loses executions. [The architecture](../architecture.md#rows) tells what a row is and when it is written.\n\n" +
		"In PostgreSQL everything is in the schema `stent`, ids are UUIDs (a chosen id is hashed into one, and kept in `alias`), and what has its " +
		"usual value is NULL. In SQLite times are microseconds since 1970, lists and maps are JSON. The two differ in columns where " +
		"they differ in what is fast.\n")
	tables := slices.Sorted(maps.Keys(union(lite.columns, post.columns)))
	for _, table := range tables {
		fmt.Fprintf(&b, "\n## %s\n\n", table)
		if note := notes.tables[table]; note != "" {
			fmt.Fprintf(&b, "%s\n\n", note)
		}
		b.WriteString("| column | PostgreSQL | SQLite | |\n|---|---|---|---|\n")
		for _, column := range columnsOf(table, post, lite) {
			note := notes.columns[table+"."+column]
			if note == "" {
				note = usualColumns[table+"."+column]
			}
			if note == "" {
				note = usualColumns[column]
			}
			if note == "" {
				t.Errorf("%s.%s: say what it is, in the migration that adds it", table, column)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", column, post.types[table+"."+column], lite.types[table+"."+column], inCell(note))
		}
		for _, s := range []struct {
			name string
			of   schema
		}{{"PostgreSQL", post}, {"SQLite", lite}} {
			if len(s.of.indexes[table]) > 0 {
				fmt.Fprintf(&b, "\nIndexes in %s:\n\n", s.name)
				for _, index := range s.of.indexes[table] {
					fmt.Fprintf(&b, "- `%s`\n", index)
				}
			}
		}
	}
	holds(t, "schema.md", b.String())
}

// usualColumns are those that mean the same wherever they are and need no word in a migration.
var usualColumns = map[string]string{
	"id": "of the row", "execution_id": "of the execution", "queue": "its queue", "tags": "workers that may take it have one of them", "step": "the activity's or workflow's name",
	"workflow": "its name", "key": "the place of the call in its workflow", "seq": "its place in the history", "rank": "its priority, with the sign changed",
	"policy": "its retry policy, JSON", "input": "what it was given", "input_hash": "of the input, to recognise another one", "result": "what it returned", "failure": "how it failed, JSON",
	"state": "its state", "kind": "what sort of entry it is", "attempt": "from 1", "crashes": "how many workers have died of it", "token": "the fencing token",
	"created_at": "when it was made", "started_at": "when it was first begun", "finished_at": "when it ended", "due_at": "since when, or from when on, it can be claimed; only while it can",
	"deadline_at": "when its maximal duration was to be over", "cancel_requested_at": "when it was asked to stop", "metadata": "what its start said of it, JSON", "carrier": "trace context and baggage, JSON",
	"effects": "how many changes of counters and custom state the workflow has made", "cause": "the task whose dead letter it failed of", "alias": "the id, where it was chosen",
	"healed_from": "entries from this place on were written after the failure that a replay healed", "healed_to": "up to this place", "worker_id": "who holds it, or held it last",
	"worker": "workers.n of who it is about", "name": "its name", "value": "its value", "version": "the migration's number", "applied_at": "when it was applied", "n": "a number",
	"actor": "who did it", "action": "what was done", "at": "when", "detail": "more about it", "letter": "of the dead letter that it is about, 0 for none", "reason": "why it is there",
	"moved_at": "when it came there", "payload": "what it carries", "sent_at": "when it was sent", "consumed_at": "when the workflow received it", "expires_at": "until when it holds",
	"heartbeat_at": "when it was last heard of", "lease_until": "until when its tasks are its own", "host": "where it runs", "pid": "its process", "queues": "what it serves", "steps": "what it has handlers for",
	"slots": "how many activities it runs at once", "paused_at": "since when it is paused", "paused_by": "who paused it", "count": "how many", "again_at": "when it may be done again",
	"execution": "of the execution", "error": "what went wrong", "failed_at": "when", "stack": "where", "dead_letters.attempts": "how often it was tried", "trace_id": "of the trace, if the start was traced",
	"chores.due_at": "when it is due next", "retried": "whether another attempt followed", "held.executions": "what the claim took", "paused": "whether it is paused", "results.task": "the task whose result it is",
	"rule": "when it is due and what becomes of missed ticks, JSON", "changed_at": "when it was last changed", "priority": "of what it starts", "used": "how many of its slots are used",
	"renewed_at": "when it was last heard of", "ended_at": "when it stopped, or was declared dead",
}

type schema struct {
	columns map[string][]string // by table
	types   map[string]string   // by table.column
	indexes map[string][]string // by table
}

func newSchema() schema {
	return schema{map[string][]string{}, map[string]string{}, map[string][]string{}}
}

func (s *schema) add(table, column, kind string) {
	s.columns[table] = append(s.columns[table], column)
	s.types[table+"."+column] = kind
}

func union(a, b map[string][]string) map[string]bool {
	all := map[string]bool{}
	for name := range a {
		all[name] = true
	}
	for name := range b {
		all[name] = true
	}
	return all
}

// columnsOf are a table's columns, in the order of the first and then what only the second has.
func columnsOf(table string, first, second schema) []string {
	all := slices.Clone(first.columns[table])
	for _, column := range second.columns[table] {
		if !slices.Contains(all, column) {
			all = append(all, column)
		}
	}
	return all
}

func sqliteSchema(t *testing.T) schema {
	t.Helper()
	db, dsn := testBackends[0].open(t, newClock())
	t.Cleanup(func() { db.Close() })
	conn, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := newSchema()
	rows, err := conn.QueryContext(t.Context(), `SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		s.add(table, column, strings.TrimSuffix(kind, " GENERATED ALWAYS"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	indexes, err := conn.QueryContext(t.Context(), `SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer indexes.Close()
	for indexes.Next() {
		var table, text string
		if err := indexes.Scan(&table, &text); err != nil {
			t.Fatal(err)
		}
		s.indexes[table] = append(s.indexes[table], indexText(text))
	}
	if err := indexes.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

func postgresSchema(t *testing.T) schema {
	t.Helper()
	db, dsn := testBackends[1].open(t, nil)
	t.Cleanup(func() { db.Close() })
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	s := newSchema()
	var table, column, kind, text string
	rows, err := conn.Query(t.Context(), `SELECT c.relname::text, a.attname::text, replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = 'stent'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname, a.attnum`)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&table, &column, &kind}, func() error { s.add(table, column, kind); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	rows, err = conn.Query(t.Context(), `SELECT tablename::text, indexdef FROM pg_indexes WHERE schemaname = 'stent' AND indexname NOT LIKE '%\_pkey' ORDER BY indexname`)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&table, &text}, func() error {
			s.indexes[table] = append(s.indexes[table], indexText(text))
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// indexText is an index's definition without what all of them say.
func indexText(text string) string {
	text = regexp.MustCompile(`\s+`).ReplaceAllString(text, " ")
	return regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (\w+) ON (stent\.)?\w+ (USING btree )?`).ReplaceAllString(text, "$2 $1")
}

type notes struct{ tables, columns map[string]string }

// schemaNotes are what the migrations say of tables and columns, those of PostgreSQL first.
func schemaNotes(t *testing.T) notes {
	t.Helper()
	all := notes{map[string]string{}, map[string]string{}}
	for _, backend := range []string{"postgres", "sqlite"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "core", "backend", backend, "migrations", "*.sql"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no migrations: %v", err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.read(string(text))
		}
	}
	return all
}

var (
	begins   = regexp.MustCompile(`(?i)^(?:CREATE TABLE|ALTER TABLE)(?: IF NOT EXISTS)? (?:stent\.)?(\w+)(?: ADD COLUMN (\w+))?`)
	columnAt = regexp.MustCompile(`(?i)^\s+(?:ADD COLUMN )?(\w+)\s[^-]*?(?:-- (.*))?$`)
	trailing = regexp.MustCompile(`-- (.*)$`)
)

func (n *notes) read(text string) {
	table, above := "", ""
	set := func(m map[string]string, name, note string) {
		if note != "" && m[name] == "" {
			m[name] = strings.TrimSpace(note)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		switch begun := begins.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "--"):
			above += strings.TrimPrefix(strings.TrimPrefix(line, "--"), " ") + " "
			continue
		case begun != nil:
			table = begun[1]
			note := above
			if last := trailing.FindStringSubmatch(line); last != nil {
				note = last[1]
			}
			if strings.HasPrefix(strings.ToUpper(line), "CREATE") {
				set(n.tables, table, above)
			} else if begun[2] != "" {
				set(n.columns, table+"."+begun[2], note)
			}
		case table != "":
			if c := columnAt.FindStringSubmatch(line); c != nil {
				set(n.columns, table+"."+c[1], c[2])
			}
			if strings.HasSuffix(strings.TrimSpace(trailing.ReplaceAllString(line, "")), ";") {
				table = ""
			}
		}
		above = ""
	}
}
