package housetest

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryMigrationHasANumberOfItsOwn: two of one number merge without a conflict, and no database takes both.
func TestEveryMigrationHasANumberOfItsOwn(t *testing.T) {
	for _, backend := range []string{"sqlite", "postgres"} {
		files, err := filepath.Glob("../../core/backend/" + backend + "/migrations/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no migrations, %v", backend, err)
		}
		names := map[string]string{}
		for _, file := range files {
			name := filepath.Base(file)
			number, _, _ := strings.Cut(name, "_")
			if other, taken := names[number]; taken {
				t.Errorf("%s: %s and %s have one number", backend, other, name)
			}
			names[number] = name
		}
	}
}
