package cli

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stentgo/stent/internal/pgtest"
)

// TestBadInput holds that each mistake has one line that names it and says what to do, and the right exit code.
func TestBadInput(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellAll()
	dir := t.TempDir()
	text := filepath.Join(dir, "text.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing.sqlite")
	folder := filepath.Join(dir, "nowhere", "x.sqlite")

	cases := []struct {
		args []string
		code int
		want []string // all of them in the one line
	}{
		{[]string{"lst"}, exitUsage, []string{`unknown command "lst"`, "did you mean list?"}},
		{[]string{"frobnicate"}, exitUsage, []string{`unknown command "frobnicate"`, "stent --help"}},
		{[]string{"dlq", "reply"}, exitUsage, []string{`unknown command "reply"`, "did you mean replay?"}},
		{[]string{"migrate", "sideways"}, exitUsage, []string{`unknown command "sideways"`, "stent migrate --help"}},
		{[]string{"list", "--stat", "failed"}, exitUsage, []string{"unknown flag: --stat", "stent list --help"}},
		{[]string{"list", "extra"}, exitUsage, []string{"takes no arguments", `"extra"`}},
		{[]string{"list", "--limit", "0"}, exitUsage, []string{`"0"`, "--limit", "1 or more"}},
		{[]string{"list", "--limit", "many"}, exitUsage, []string{`"many"`, "--limit", "want a number"}},
		{[]string{"dlq", "list", "--limit", "-1"}, exitUsage, []string{`"-1"`, "--limit"}},
		{[]string{"list", "--state", "done"}, exitUsage, []string{`unknown state "done"`, "pending, running, cancelling, completed, failed, cancelled or timed_out"}},
		{[]string{"tasks", "--state", "cancelling"}, exitUsage, []string{`unknown state "cancelling"`, "waiting"}},
		{[]string{"list", "--since", "yesterday"}, exitUsage, []string{`--since "yesterday"`, "2d", "2024-01-15"}},
		{[]string{"list", "--since", "-2d"}, exitUsage, []string{`--since "-2d"`}},
		{[]string{"list", "--after", "nope"}, exitError, []string{`no execution "nope"`, "stent list"}},
		{[]string{"show"}, exitUsage, []string{"stent show: want an execution's id"}},
		{[]string{"show", ""}, exitUsage, []string{"argument 1 is empty"}},
		{[]string{"show", "a", "b"}, exitUsage, []string{`"b" is one argument too many`}},
		{[]string{"show", "nope"}, exitError, []string{`no execution "nope"`, "stent list"}},
		{[]string{"show", "550e"}, exitError, []string{`"550e" fits more than one execution`, completedID, runningID, "type more"}},
		{[]string{"show", "o"}, exitError, []string{"...;"}},
		{[]string{"show", "50%_"}, exitError, []string{`no execution "50%_"`}},
		{[]string{"tasks", "--execution", "nope"}, exitError, []string{`no execution "nope"`}},
		{[]string{"dlq", "show", "nope"}, exitError, []string{`no dead letter "nope"`, "stent dlq list"}},
		{[]string{"dlq", "show", completedID}, exitError, []string{"no dead letter"}},
		{[]string{"dlq", "replay", failedID + ".1"}, exitError, []string{"no dead letter"}},
		{[]string{"dlq", "replay", failedID + ".2", "--queue", ""}, exitUsage, []string{"--queue is empty"}},
		{[]string{"dlq", "replay", failedID + ".2", "--queue", "a\nb"}, exitError, []string{"control character"}},
		{[]string{"dlq", "list", "--after", "x"}, exitUsage, []string{"--after", "EXECUTION.NUMBER"}},
		{[]string{"dlq", "list", "--fingerprint", "nonsense"}, exitUsage, []string{`--fingerprint "nonsense"`, "12 hexadecimal digits"}},
		{[]string{"dlq", "list", "--older-than", "old"}, exitUsage, []string{"--older-than", "2d"}},
		{[]string{"dlq", "replay-all", "--rate", "fast"}, exitUsage, []string{`"fast"`, "20/s"}},
		{[]string{"dlq", "replay-all", "--canary", "-1"}, exitUsage, []string{"--canary -1"}},
		{[]string{"dlq", "replay-all", "--limit", "-1"}, exitUsage, []string{"--limit -1"}},
		{[]string{"dlq", "discard", "nope"}, exitError, []string{`no dead letter "nope"`}},
		{[]string{"cleanup"}, exitUsage, []string{"--older-than 30d"}},
		{[]string{"cleanup", "--older-than", "soon"}, exitUsage, []string{"--older-than", "2d"}},
		{[]string{"cleanup", "--older-than", "1d", "--state", "running"}, exitUsage, []string{`unknown state "running"`}},
		{[]string{"queue", "pause"}, exitUsage, []string{"stent queue pause: want a queue's name"}},
		{[]string{"queue", "stop", "billing"}, exitUsage, []string{`unknown command "stop"`}},
		{[]string{"queue", "pause", "a\nb"}, exitError, []string{"control character"}},
		{[]string{"signal", waitingID}, exitUsage, []string{"stent signal: want"}},
		{[]string{"signal", waitingID, "approval", "yes"}, exitUsage, []string{`"yes" is not JSON`}},
		{[]string{"signal", waitingID, "approval", "-"}, exitUsage, []string{"is not JSON"}},
		{[]string{"signal", waitingID, " ", "1"}, exitUsage, []string{"argument 2 is empty"}},
		{[]string{"signal", "nope", "approval"}, exitError, []string{`no execution "nope"`}},
		{[]string{"signal", completedID, "approval"}, exitError, []string{"has ended", "stent show " + completedID}},
		{[]string{"demo", "--for", "soon"}, exitUsage, []string{`--for "soon"`, "30s"}},
		{[]string{"demo", "--for", "0"}, exitUsage, []string{`--for "0"`}},
		{[]string{"demo", "--rate", "0"}, exitUsage, []string{"--rate 0"}},
		{[]string{"demo", "--rate", "NaN"}, exitUsage, []string{"--rate NaN"}},
		{[]string{"demo", "--db", folder}, exitError, []string{folder, "does not exist"}},
		{[]string{"demo", "--db", text}, exitError, []string{text, "not an SQLite database"}},
		{[]string{"list", "--db", missing}, exitError, []string{"there is no file " + missing}},
		{[]string{"list", "--db", folder}, exitError, []string{"there is no file " + folder}},
		{[]string{"list", "--db", text}, exitError, []string{text, "not an SQLite database"}},
		{[]string{"list", "--db", dir}, exitError, []string{dir, "is a folder"}},
		{[]string{"migrate", "up", "--db", missing}, exitError, []string{"there is no file " + missing}},
		{[]string{"list", "--db", "sqlite:"}, exitUsage, []string{"want the path of a file"}},
		{[]string{"list", "--db", ":memory:"}, exitUsage, []string{"in memory"}},
		{[]string{"list", "--db", "mysql://h/d"}, exitUsage, []string{`"mysql"`, "sqlite:PATH"}},
	}
	for _, c := range cases {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			h.t = t
			got := h.run(c.args...)
			if got.code != c.code {
				t.Errorf("exit code %d, want %d", got.code, c.code)
			}
			if got.stdout != "" || strings.Count(got.stderr, "\n") != 1 || !strings.HasPrefix(got.stderr, "stent: ") {
				t.Errorf("printed %q and on stderr %q, want nothing and one line", got.stdout, got.stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("says %q, want %q in it", got.stderr, want)
				}
			}
		})
	}
	for _, path := range []string{missing, folder} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("looking at %s has made it", path)
		}
	}
}

// The same mistakes are the same on each kind of database, and a database that is somebody else's is left alone.
func TestBadInputOnEach(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellAll()
		for _, c := range []struct {
			args []string
			code int
			want string
		}{
			{[]string{"show", "nope"}, exitError, "no execution \"nope\": `stent list` shows those there are"},
			{[]string{"show", "nope", "--follow"}, exitError, "no execution \"nope\""},
			{[]string{"show", "order-w", "--follow", "--history"}, exitUsage, "--history and --follow exclude each other"},
			{[]string{"why", "nope"}, exitError, "no execution \"nope\""},
			{[]string{"cancel", "nope", "--yes"}, exitError, "no execution \"nope\""},
			{[]string{"trace", "nope"}, exitError, "no execution \"nope\""},
			{[]string{"show", "550e"}, exitError, "\"550e\" fits more than one execution"},
			{[]string{"why", "order-"}, exitError, "\"order-\" fits more than one execution"},
			{[]string{"dlq", "show", "nope"}, exitError, "no dead letter \"nope\": `stent dlq list`"},
			{[]string{"dlq", "replay", completedID + ".1"}, exitError, "no dead letter"},
			{[]string{"list", "--stat", "failed"}, exitUsage, "unknown flag: --stat: `stent list --help`"},
			{[]string{"watch"}, exitError, "watch needs a terminal to draw on: `stent stats` prints the same counts once"},
			{[]string{"watch", "--json"}, exitUsage, "`stent stats --json`"},
			{[]string{"watch", "--interval", "never"}, exitUsage, "--interval \"never\""},
		} {
			got := h.run(c.args...)
			if got.code != c.code || got.stdout != "" || !oneLine(got.stderr) || !strings.Contains(got.stderr, c.want) {
				t.Errorf("%q: exit code %d, want %d; %q and on stderr %q, want %q", c.args, got.code, c.code, got.stdout, got.stderr, c.want)
			}
		}
		b.execute(t, h.dsn, "DROP TABLE migrations")
		for _, args := range [][]string{{"list"}, {"show", completedID}, {"stats"}, {"doctor"}, {"why", completedID}, {"dlq", "list"}} {
			if got := h.run(args...); got.code != exitError || got.stdout != "" || !oneLine(got.stderr) || !strings.Contains(got.stderr, "not a Stent database") {
				t.Errorf("%q on somebody else's database: exit code %d, %q", args, got.code, got.stderr)
			}
		}
	})
}

// oneLine tells whether it is one line of the command, and no trace of a stack.
func oneLine(s string) bool {
	return strings.HasPrefix(s, "stent: ") && strings.Count(s, "\n") == 1 && strings.HasSuffix(s, "\n") && !strings.Contains(s, "goroutine")
}

// A server that does not answer, or says no, has one line that tells what to check, and no secret.
func TestUnreachable(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	listener.Close()
	u, err := url.Parse(pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	wrong := *u
	wrong.Path = "/no_such_database"
	for dsn, want := range map[string]string{
		"postgres://ada:s3cret@" + nobody + "/shop":   "cannot reach postgres://" + nobody + "/shop: connect: connection refused: check that the server runs, and the host and the port",
		"postgres://ada:s3cret@nowhere.invalid/shop":  "cannot reach postgres://nowhere.invalid/shop: the host \"nowhere.invalid\" is not known: check the address",
		"host=nowhere.invalid user=a password=s3cret": "cannot reach the PostgreSQL database: the host \"nowhere.invalid\" is not known",
		wrong.String(): "refuses the connection: FATAL: database \"no_such_database\" does not exist (SQLSTATE 3D000): check the user, the password and the database's name",
	} {
		for _, args := range [][]string{{"list"}, {"stats", "--json"}, {"why", "x"}, {"doctor"}, {"migrate", "up"}} {
			got := stent(t.Context(), newClock(), append([]string{"--db", dsn}, args...)...)
			if got.code != exitError || got.stdout != "" || !oneLine(got.stderr) || !strings.Contains(got.stderr, want) || strings.Contains(got.stderr, "s3cret") {
				t.Errorf("%q: exit code %d, %q, want %q", args, got.code, got.stderr, want)
			}
		}
	}
}

func TestNoDatabaseNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("STENT_DB", "")
	got := stent(t.Context(), newClock(), "list")
	if got.code != exitUsage || !strings.Contains(got.stderr, "--db PATH or STENT_DB") || !strings.Contains(got.stderr, "stent demo") {
		t.Errorf("without a database: exit code %d, %q", got.code, got.stderr)
	}
}

// TestFlagOverrulesEnvironment: --db counts more than STENT_DB.
func TestFlagOverrulesEnvironment(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellCompleted()
	t.Setenv("STENT_DB", "postgres://nobody@nowhere.invalid/none")
	got := stent(t.Context(), h.clock, "--db", h.dsn, "list")
	if got.code != exitOK || !strings.Contains(got.stdout, completedID) {
		t.Errorf("exit code %d, %s%s", got.code, got.stdout, got.stderr)
	}
}

// TestInterrupted: a command that Ctrl-C cuts short says so, and exits as shells expect.
func TestInterrupted(t *testing.T) {
	h := newHistory(t, testBackends[0])
	t.Setenv("STENT_DB", h.dsn)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := stent(ctx, h.clock, "list")
	if got.code != exitInterrupted || got.stderr != "stent: interrupted\n" {
		t.Errorf("exit code %d, %q", got.code, got.stderr)
	}
}

// TestNoSecretIsPrinted tries addresses that are right, wrong, or in the wrong place, and looks for the password.
func TestNoSecretIsPrinted(t *testing.T) {
	t.Setenv("PGCONNECT_TIMEOUT", "1")
	dsns := []string{
		"postgres://ada:s3cret@127.0.0.1:1/db",
		"postgresql://ada:s3cret@127.0.0.1:1/db?sslmode=disable",
		"POSTGRES://ada:s3cret@127.0.0.1:1/db",
		"postgres://ada:s3cret@127.0.0.1:port/db",
		"postgres://ada:s3cret%zz@127.0.0.1:1/db",
		"postgres://ada:/s3cret@127.0.0.1:1/db",
		"postgres://ada:1/s3cret@127.0.0.1:1/db",
		"postgres://ada:#s3cret@127.0.0.1:1/db",
		"postgres://ada:?s3cret@127.0.0.1:1/db",
		"postgres://ada:@s3cret@127.0.0.1:1/db",
		"postgres://ada:a b s3cret@127.0.0.1:1/db",
		"postgres:ada:s3cret@127.0.0.1:1/db",
		"postgres://127.0.0.1:1/db?user=ada&password=s3cret",
		"postgres://127.0.0.1:1/db?sslpassword=s3cret",
		"host=127.0.0.1 port=1 user=ada password=s3cret dbname=db",
		"host=127.0.0.1 port=1 user=ada password='a s3cret' dbname=db",
		"password=s3cret",
		"mysql://ada:s3cret@127.0.0.1:1/db",
	}
	for _, dsn := range dsns {
		for _, args := range [][]string{
			{"--db", dsn, "list"}, {"--db=" + dsn, "migrate", "up"}, {"--db", dsn, "demo", "--for", "1s"}, {dsn, "list"}, {"list", dsn}, {"lits", "--db", dsn},
		} {
			got := stent(t.Context(), newClock(), args...)
			if got.code == exitOK {
				t.Errorf("%q succeeded", args)
			}
			if said := got.stdout + got.stderr; strings.Contains(said, "s3cret") {
				t.Errorf("%q prints the password: %s", args, said)
			}
		}
	}
}
