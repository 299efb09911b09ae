package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	source, file, other := filepath.Join(dir, "source"), filepath.Join(dir, "file"), filepath.Join(dir, "other")
	writeFile(t, filepath.Join(source, "a"), nil)
	writeFile(t, file, []byte("no database"))
	db := filepath.Join(dir, "archive.sqlite")

	for _, test := range []struct {
		name string
		args []string
		code int
		want []string // parts of the error
	}{
		{"nothing", nil, 2, []string{"want two names", "--help"}},
		{"one name", []string{source}, 2, []string{"got 1", source}},
		{"three names", []string{source, other, "--db", db, "more"}, 2, []string{"got 3", `"more"`}},
		{"an empty name", []string{"", other}, 2, []string{`SOURCE is ""`}},
		{"an unknown flag", []string{source, other, "--what"}, 2, []string{"-what"}},
		{"flags that exclude each other", []string{source, other, "--fresh", "--id", "x"}, 2, []string{"--fresh and --id"}},
		{"no such source", []string{other, other}, 1, []string{other, "does not exist", "check the path"}},
		{"a file as source", []string{file, other}, 1, []string{file, "not a folder", `"` + dir + `"`}},
		{"a source below a file", []string{filepath.Join(file, "x"), other}, 1, []string{filepath.Join(file, "x"), "check the path"}},
		{"dest in source", []string{source, filepath.Join(source, "x", "y")}, 1, []string{"lies in SOURCE", "outside of it"}},
		{"dest is source", []string{source, source}, 1, []string{"lies in SOURCE"}},
		{"a file as dest", []string{source, file}, 1, []string{file, "cannot be made"}},
		{"dest below a file", []string{source, filepath.Join(file, "x")}, 1, []string{filepath.Join(file, "x"), "name a folder"}},
		{"db in source", []string{source, other, "--db", filepath.Join(source, "db")}, 1, []string{"changes while it is archived", "--db"}},
		{"db in no folder", []string{source, other, "--db", filepath.Join(dir, "no", "db")}, 1, []string{filepath.Join(dir, "no"), "does not exist"}},
		{"a folder as db", []string{source, other, "--db", dir}, 1, []string{dir, "is a folder"}},
		{"another file as db", []string{source, other, "--db", file}, 1, []string{file, "not an SQLite database"}},
		{"a bad id", []string{source, other, "--db", db, "--id", "two\nlines"}, 1, []string{`two\nlines`, "control character"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), test.args, openFile, &stdout, &stderr)
			if code := exitCode(err, &stderr); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, part := range test.want {
				if !strings.Contains(stderr.String(), part) {
					t.Errorf("%q is not in: %s", part, stderr.String())
				}
			}
			if _, err := os.Stat(filepath.Join(source, "x")); err == nil {
				t.Error("it wrote into the source")
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"--help"}, openFile, &stdout, &stderr)
	if code := exitCode(err, &stderr); code != 0 || stderr.Len() > 0 {
		t.Errorf("exit code %d, and %q", code, stderr.String())
	}
	for _, part := range []string{"SOURCE DEST", "--db", "--id", "--fresh", "--skip-unreadable", "--verbose"} {
		if !strings.Contains(stdout.String(), part) {
			t.Errorf("the help does not name %s", part)
		}
	}
}

func TestNamesBehindTwoDashesAreNoFlags(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, filepath.Join(dir, "-source", "a"), []byte("x"))
	if _, err := parseArgs([]string{"--fresh", "--", "-source", "--fresh"}, new(bytes.Buffer)); err != nil {
		t.Error(err)
	}
}

func TestPathSurvivesJSON(t *testing.T) {
	for _, p := range []Path{"", "a", "a/b", "ä\n\x00\t", `"`, `"a"`, "\xff", "a\xffb\"\\", "\u2028", `\xff`, "\ufffd"} {
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		var back Path
		if err := json.Unmarshal(data, &back); err != nil || back != p {
			t.Errorf("%q became %s and that %q (%v)", p, data, back, err)
		}
	}
	var p Path
	if err := json.Unmarshal([]byte(`"\"open"`), &p); err == nil {
		t.Errorf("a quote without an end was read as %q", p)
	}
}

func TestReasonNamesNoPath(t *testing.T) {
	_, err := os.Open(filepath.Join(t.TempDir(), "absent"))
	if got := reason(err); strings.Contains(got, "absent") {
		t.Errorf("%q names the path again", got)
	}
	if got := reason(errors.New("plain")); got != "plain" {
		t.Errorf("%q, want plain", got)
	}
}
