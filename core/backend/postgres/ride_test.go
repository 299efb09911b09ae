package postgres_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// What is told of a few starts is told by the transaction that begins them, where that is a short one.
func TestTheNoteOfAStartRidesWithIt(t *testing.T) {
	m := newMill(t, pgtest.NewQuietServer(t).Database(t))
	conn := connect(t, m.dsn)
	if _, err := conn.Exec(t.Context(), "LISTEN "+m.db.Channel()); err != nil {
		t.Fatal(err)
	}
	told := func() {
		t.Helper()
		if note, err := conn.WaitForNotification(t.Context()); err != nil || !postgres.NoteIsOf(note.Payload, "default") {
			t.Fatalf("told was %+v, %v", note, err)
		}
	}
	for _, c := range []struct {
		name         string
		within       time.Duration
		commands     []backend.Command
		transactions float64
	}{
		{"a start", time.Hour, []backend.Command{newStart("a")}, 1},
		{"two starts", time.Hour, []backend.Command{newStart("b"), newStart("c")}, 1},
		{"a start where transactions take long", 0, []backend.Command{newStart("d")}, 2},
		{"a start with something else", time.Hour, []backend.Command{newStart("e"), &backend.Signalled{Execution: "a", ID: "1", Name: "n"}}, 2},
	} {
		m.db.RideFor(c.within)
		if _, n := m.cost(func() { m.commit(c.commands...); told() }); n != c.transactions {
			t.Errorf("%s and its note are %v transactions, want %v", c.name, n, c.transactions)
		}
	}
}

// What is wrong with notifications is not wrong with starts. Of a queue of notifications that is full, for one, or of a right that is missing,
// PostgreSQL tells as it does of a value that it does not take.
func TestAStartThatCannotBeToldOfBegins(t *testing.T) {
	dsn := pgtest.NewServer(t).Database(t)
	open(t, dsn)
	execute(t, dsn, `CREATE ROLE silent LOGIN;
		GRANT USAGE ON SCHEMA stent TO silent;
		GRANT ALL ON ALL TABLES IN SCHEMA stent TO silent;
		GRANT ALL ON ALL SEQUENCES IN SCHEMA stent TO silent;
		REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM PUBLIC`)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("silent")
	db := openAs(t, u.String())
	db.RideFor(time.Hour)
	for _, id := range []string{"first", "second"} {
		if err := db.Commit(t.Context(), &backend.Batch{Commands: []backend.Command{newStart(id)}}); err != nil {
			t.Error(err)
		} else if x, err := db.Execution(t.Context(), id); err != nil || x.State != backend.Pending {
			t.Errorf("%s: %s, %v", id, x.State, err)
		}
	}
}
