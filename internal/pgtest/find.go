package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The majors that Stent supports.
const (
	oldestMajor = 13
	newestMajor = 18
)

// machine is all that the search for a server looks at. Tests hand in poorer ones.
type machine struct {
	getenv   func(name string) string
	lookPath func(file string) (string, error)
	glob     func(pattern string) ([]string, error)
	root     bool
}

func thisMachine() machine {
	return machine{getenv: os.Getenv, lookPath: exec.LookPath, glob: filepath.Glob, root: os.Geteuid() == 0}
}

// source is one way to a server: an installation's binaries, or an image.
type source interface {
	create(ctx context.Context) (control, error)
	fmt.Stringer
}

// open returns the server of STENT_TEST_POSTGRES, or launches one.
func (m machine) open(ctx context.Context) (*Server, error) {
	dsn := m.getenv(EnvDSN)
	if dsn == "" {
		return m.launch(ctx)
	}
	want, err := m.major()
	if err != nil {
		return nil, err
	}
	server := &Server{dsn: dsn, origin: EnvDSN}
	if err := server.identify(ctx); err != nil {
		return nil, fmt.Errorf("pgtest: connect to %s: %w", EnvDSN, err)
	}
	if want != 0 && majorOf(server.version) != want {
		return nil, fmt.Errorf("pgtest: %s is %d, but the server of %s is %s", EnvVersion, want, EnvDSN, server.version)
	}
	return server, nil
}

// launch starts a server from the first source that can be had.
func (m machine) launch(ctx context.Context) (*Server, error) {
	want, err := m.major()
	if err != nil {
		return nil, err
	}
	from, err := m.find(ctx, want)
	if err != nil {
		return nil, err
	}
	control, err := from.create(ctx)
	if err != nil {
		return nil, fmt.Errorf("pgtest: start PostgreSQL from %s: %w", from, err)
	}
	server := &Server{dsn: control.dsn(), origin: from.String(), control: control}
	if err := server.identify(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: connect to PostgreSQL from %s: %w", from, err), control.close())
	}
	return server, nil
}

// find tries the sources in their order. The error is the one sentence that a person without PostgreSQL reads.
func (m machine) find(ctx context.Context, want int) (source, error) {
	var reasons []string
	for _, try := range []func(context.Context, int) (source, error){m.installed, m.npm, m.docker, m.debian} {
		from, err := try(ctx, want)
		if err == nil {
			return from, nil
		}
		reasons = append(reasons, err.Error())
	}
	version := "PostgreSQL"
	if want != 0 {
		version += " " + strconv.Itoa(want)
	}
	return nil, fmt.Errorf("pgtest: no %s for the tests (%s): install PostgreSQL %d or newer, npm or Docker, or set %s to the DSN of a server whose user may create databases",
		version, strings.Join(reasons, "; "), oldestMajor, EnvDSN)
}

// major reads STENT_TEST_POSTGRES_VERSION; 0 stands for any.
func (m machine) major() (int, error) {
	value := m.getenv(EnvVersion)
	if value == "" {
		return 0, nil
	}
	major, err := strconv.Atoi(value)
	if err != nil || major < oldestMajor || major > newestMajor {
		return 0, fmt.Errorf("pgtest: %s=%q: want %d to %d", EnvVersion, value, oldestMajor, newestMajor)
	}
	return major, nil
}

// places is where Debian, Fedora and Homebrew put the server's binaries, which they keep off PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
}

// installed is the newest installation on the machine, or that of the wanted major.
func (m machine) installed(ctx context.Context, want int) (source, error) {
	var dirs []string
	if initdb, err := m.lookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			dirs = append(dirs, filepath.Dir(initdb))
		}
	}
	for _, place := range places {
		found, err := m.glob(place)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, found...)
	}

	var newest *binaries
	for _, dir := range dirs {
		b, err := inspect(ctx, dir, dir)
		if err != nil {
			continue // a folder with a client alone
		}
		major := majorOf(b.version)
		if want == 0 && major >= oldestMajor || major == want {
			if newest == nil || newer(b.version, newest.version) {
				newest = b
			}
		}
	}
	if newest == nil {
		return nil, errors.New("none is installed")
	}
	return newest, nil
}

// inspect looks for a server's binaries in a folder.
func inspect(ctx context.Context, dir, name string) (*binaries, error) {
	for _, file := range []string{"initdb", "pg_ctl"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			return nil, err
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "postgres --version"), err)
	}
	// postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
	words := strings.Fields(string(out))
	if len(words) < 3 || majorOf(words[2]) == 0 {
		return nil, fmt.Errorf("%s says %q", filepath.Join(dir, "postgres --version"), out)
	}
	return &binaries{dir: dir, name: name, version: words[2]}, nil
}

// debian installs Debian's package. It is last, for it changes the machine.
func (m machine) debian(ctx context.Context, want int) (source, error) {
	apt, err := m.lookPath("apt-get")
	if err != nil || !m.root {
		return nil, errors.New("no apt-get, or not root")
	}
	name := "postgresql"
	if want != 0 {
		name += "-" + strconv.Itoa(want)
	}
	for _, args := range [][]string{{"update"}, {"install", "--yes", "--no-install-recommends", name}} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("apt-get %s: %w: %s", strings.Join(args, " "), err, lastLine(out))
		}
	}
	return m.installed(ctx, want)
}

// majorOf is 15 for "15.18" and 19 for "19beta1"; 0 for what is no version.
func majorOf(version string) (major int) {
	_, _ = fmt.Sscanf(version, "%d", &major)
	return major
}

// newer tells whether version a comes after b.
func newer(a, b string) bool {
	number := func(version string) (n []int) {
		for part := range strings.SplitSeq(version, ".") {
			i, _ := strconv.Atoi(part)
			n = append(n, i)
		}
		return n
	}
	return slices.Compare(number(a), number(b)) > 0
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
