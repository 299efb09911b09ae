package housetest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the checkout, seen from this package.
const root = "../.."

// A file and a package say what they are about.
func TestNamesSayWhatIsInside(t *testing.T) {
	vague := regexp.MustCompile(`(?i)^(utils?|commons?|helpers?|misc)(_test)?(\.[a-z]+)?$`)
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci" || d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		seen++
		if vague.MatchString(d.Name()) {
			t.Errorf("%s: a name that says nothing", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil || seen < 10 {
		t.Errorf("%d files seen from %s, %v: is this the checkout?", seen, root, err)
	}
}
