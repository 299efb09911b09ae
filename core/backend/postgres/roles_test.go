package postgres_test

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// The roles of docs/guides/security.md, by its own statements: each can do its work, and no more.
func TestTheRolesOfTheGuideCanDoTheirWorkAndNoMore(t *testing.T) {
	server := pgtest.NewServer(t) // roles are a server's, and not a database's
	dsn := server.Database(t)
	guide, err := os.ReadFile("../../../docs/guides/security.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(guide), "```sql\n")
	if len(parts) != 3 {
		t.Fatalf("the guide has %d blocks of SQL, want 2", len(parts)-1)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	as := func(role string) string {
		v := *u
		v.User = url.User(role)
		return v.String()
	}
	before, _, _ := strings.Cut(parts[1], "```")
	after, _, _ := strings.Cut(parts[2], "```")
	execute(t, dsn, strings.ReplaceAll(before, "DATABASE stent", "DATABASE "+strings.TrimPrefix(u.Path, "/")))
	execute(t, dsn, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	open(t, as("stent_owner"))
	execute(t, as("stent_owner"), after)

	newMill(t, as("stent_worker")).workflows(3, 2)
	forbidden(t, as("stent_worker"), "ALTER TABLE stent.executions ADD COLUMN x integer", "DROP TABLE stent.tasks", "CREATE TABLE stent.x (y integer)")

	ctx := context.Background()
	exporter := openAs(t, as("stent_exporter"))
	stats, err := exporter.Stats(ctx)
	if err != nil || stats.Executions[backend.Completed] == 0 {
		t.Errorf("the exporter counts %+v, %v", stats.Executions, err)
	}
	if _, err := exporter.Diagnose(ctx); err != nil {
		t.Error(err)
	}
	forbidden(t, as("stent_exporter"), "SELECT input FROM stent.executions", "SELECT result FROM stent.tasks", "SELECT failure FROM stent.dead_letters",
		"SELECT * FROM stent.signals", "SELECT * FROM stent.custom_state", "SELECT * FROM stent.failures", "DELETE FROM stent.queues", "UPDATE stent.workers SET state = 'dead'")

	reader := openAs(t, as("stent_reader"))
	list, err := reader.Executions(ctx, backend.ExecutionFilter{})
	if err != nil || len(list) == 0 {
		t.Errorf("the reader lists %d executions, %v", len(list), err)
	}
	for _, what := range []error{
		second(reader.Tasks(ctx, backend.TaskFilter{})), second(reader.DeadLetters(ctx, backend.DeadLetterFilter{})), second(reader.Workers(ctx)),
		second(reader.Progress(ctx, list[0].ID)), second(reader.History(ctx, []string{list[0].ID})),
	} {
		if what != nil {
			t.Errorf("the reader cannot read: %v", what)
		}
	}
	forbidden(t, as("stent_reader"), "DELETE FROM stent.dead_letters", "UPDATE stent.executions SET state = 'completed'", "INSERT INTO stent.queues (name, paused) VALUES ('x', true)")
}

func second[T any](_ T, err error) error { return err }

func openAs(t *testing.T, dsn string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), dsn, postgres.MustExist(), postgres.NoMigrate())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// forbidden runs statements that the role must not be allowed.
func forbidden(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := connect(t, dsn).Exec(t.Context(), statement)
		if err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v, want that it is not permitted", statement, err)
		}
	}
}
