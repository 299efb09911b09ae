package cli

import (
	"strings"
	"testing"

	"github.com/stentgo/stent/internal/pgtest"
)

// TestPostgresWithoutStent: a database that is there but not Stent's is an error, and stays as it is; migrate up makes
// it one.
func TestPostgresWithoutStent(t *testing.T) {
	dsn := pgtest.DSN(t)
	for range 2 {
		got := stent(t.Context(), newClock(), "--db", dsn, "list")
		if got.code != exitError || strings.Count(got.stderr, "\n") != 1 || !strings.Contains(got.stderr, "not a Stent database") {
			t.Fatalf("exit code %d, %q", got.code, got.stderr)
		}
	}
	if got := stent(t.Context(), newClock(), "--db", dsn, "migrate", "up"); got.code != exitOK {
		t.Fatalf("exit code %d, %q", got.code, got.stderr)
	}
	if got := stent(t.Context(), newClock(), "--db", dsn, "list"); got.code != exitOK || got.stdout != "No executions.\n" {
		t.Errorf("exit code %d, %q %q", got.code, got.stdout, got.stderr)
	}
}
