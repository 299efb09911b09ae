package cli

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stentgo/stent/core/backend/sqlite"
)

// Whatever is typed as an id is found, or is not, and says so on one line that a terminal shows as it is.
func FuzzTypedID(f *testing.F) {
	for _, s := range []string{"", "order-42", "order-42.1", "%", "_", "order'; DROP TABLE executions; --", "\x1b[31m", "a\nb", "\x00", "\xff", strings.Repeat("x", 5000)} {
		f.Add(s)
	}
	db, err := sqlite.Open(context.Background(), filepath.Join(f.TempDir(), "stent.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	f.Fuzz(func(t *testing.T, typed string) {
		_, err := findExecution(context.Background(), db, typed)
		_, err2 := findDeadLetter(context.Background(), db, typed)
		for _, err := range []error{err, err2} {
			if err == nil {
				t.Fatalf("%q is found in an empty database", typed)
			}
			if said := message(err); strings.ContainsFunc(said, func(r rune) bool { return unicode.IsControl(r) }) {
				t.Errorf("%q: a control character in %q", typed, said)
			}
		}
	})
}

// A password that stands where passwords stand in an address is not printed, whatever it is.
func FuzzRedact(f *testing.F) {
	for _, s := range []string{"s3cret", "a b", "a@b", "a/b", "a'b", "p:q", "%zz", "a\"b", "pass word@host/", "=", "x&y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, password string) {
		if len(password) < 6 || strings.ContainsAny(password, "\r\n") || strings.Contains("postgres://ada:@127.0.0.1:1/db password='' xxxxx", password) {
			return
		}
		for _, dsn := range []string{"postgres://ada:" + password + "@127.0.0.1:1/db", "password='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(password) + "' host=h"} {
			if said := message(errors.New("cannot open " + dsn)); strings.Contains(said, password) {
				t.Errorf("%q is said as %q", dsn, said)
			}
		}
	})
}
