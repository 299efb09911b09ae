package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bouncer is a running PgBouncer in transaction mode: each transaction of a client gets whichever connection to the
// server is free, and there are only a few of them.
type Bouncer struct {
	bin   *bouncerBinaries
	dir   string // pgbouncer.ini, pid and log
	port  int
	to    *url.URL
	owner *account
	guard *guard
	ended chan struct{} // closed when the process is gone
}

// bouncerPool is how many connections the bouncer has to each database: fewer than a client's pool, so that
// transactions of one client change places.
const bouncerPool = 4

// NewBouncer starts a PgBouncer in front of the server of dsn, a URL. It ends with t.
//
// The binary is the one on PATH or in /usr/sbin, else Debian's package, unpacked into the cache folder and not
// installed, since installing it starts a service. Where it cannot be had t fails.
func NewBouncer(t testing.TB, dsn string) *Bouncer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), launchTimeout)
	defer cancel()
	b, err := thisMachine().bouncer(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.guard.release(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("pgtest: %s in transaction mode, %d connections to the server", b.bin.version, bouncerPool)
	return b
}

// DSN is the address of the same database through the bouncer.
func (b *Bouncer) DSN() string {
	u := *b.to
	u.Host = "127.0.0.1:" + strconv.Itoa(b.port)
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// Console is the address of the bouncer's own database, which answers SHOW commands in the simple protocol.
func (b *Bouncer) Console() string { return withDatabase(b.DSN(), "pgbouncer") }

// Kill ends the bouncer at once, with all connections through it.
func (b *Bouncer) Kill(ctx context.Context) error {
	pid, err := os.ReadFile(filepath.Join(b.dir, "pid"))
	if err != nil {
		return fmt.Errorf("pgtest: kill PgBouncer: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err != nil {
		return fmt.Errorf("pgtest: kill PgBouncer: %w", err)
	}
	p, err := os.FindProcess(n)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		return fmt.Errorf("pgtest: kill PgBouncer: %w", err)
	}
	select {
	case <-b.ended:
		return os.Remove(filepath.Join(b.dir, "pid"))
	case <-ctx.Done():
		return fmt.Errorf("pgtest: kill PgBouncer: %w", ctx.Err())
	}
}

// Start starts a bouncer that was killed, at the same address, and returns when it takes queries.
func (b *Bouncer) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.Command(b.bin.path, "--quiet", filepath.Join(b.dir, "pgbouncer.ini")) //nolint:noctx // it outlives this call; the guard ends it
	cmd.Dir = b.dir
	cmd.Env = append(b.owner.environ(), "LD_LIBRARY_PATH="+b.bin.libraries)
	cmd.SysProcAttr = b.owner.attributes()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pgtest: start PgBouncer: %w", err)
	}
	ended := make(chan struct{})
	b.ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
	for {
		err := b.answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			log, _ := os.ReadFile(filepath.Join(b.dir, "log"))
			return fmt.Errorf("pgtest: PgBouncer ended: %w\n%s", err, log)
		case <-ctx.Done():
			return fmt.Errorf("pgtest: start PgBouncer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// answers tells whether a connection through the bouncer takes queries.
func (b *Bouncer) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, b.DSN())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.Ping(ctx)
}

func (m machine) bouncer(ctx context.Context, dsn string) (_ *Bouncer, err error) {
	b := &Bouncer{}
	if b.to, err = url.Parse(dsn); err != nil || b.to.Host == "" {
		return nil, fmt.Errorf("pgtest: PgBouncer wants a server's URL, such as %s of `make postgres`", EnvDSN)
	}
	if b.bin, err = m.findBouncer(ctx); err != nil {
		return nil, err
	}
	if b.owner, err = serverAccount(); err != nil {
		return nil, err
	}
	if b.dir, err = b.owner.mkdirTemp("stent-pgbouncer-"); err != nil {
		return nil, err
	}
	b.guard, err = b.owner.guard(`kill -KILL "$(cat "$1/pid")"; cd / && rm -rf "$1"`, b.dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	if b.port, err = freePort(ctx); err == nil {
		err = os.WriteFile(filepath.Join(b.dir, "pgbouncer.ini"), []byte(b.configuration()), 0o644) //nolint:gosec // another account reads it
	}
	if err == nil {
		err = b.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, b.guard.release())
	}
	return b, nil
}

// configuration lets everybody on the machine in as the DSN's user, as the servers of this package do.
func (b *Bouncer) configuration() string {
	login := "user=" + quoted(b.to.User.Username())
	if password, ok := b.to.User.Password(); ok && password != "" { // an empty one is a syntax error
		login += " password=" + quoted(password)
	}
	port := b.to.Port()
	if port == "" {
		port = "5432"
	}
	return fmt.Sprintf(`[databases]
* = host=%s port=%s %s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 200
pidfile = %s
logfile = %s
`, quoted(b.to.Hostname()), port, login, b.port, bouncerPool, filepath.Join(b.dir, "pid"), filepath.Join(b.dir, "log"))
}

func quoted(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }

// bouncerBinaries is an installation of PgBouncer.
type bouncerBinaries struct {
	path      string
	libraries string // a folder of shared libraries, or ""
	version   string // "PgBouncer 1.18.0"
}

// bouncerPackages are PgBouncer and those of its libraries that a machine with PostgreSQL may lack.
var bouncerPackages = []string{"pgbouncer", "libc-ares2", "libevent-2.1-7"}

func (m machine) findBouncer(ctx context.Context) (*bouncerBinaries, error) {
	path, err := m.lookPath("pgbouncer")
	if err != nil {
		path = "/usr/sbin/pgbouncer"
	}
	if b, err := inspectBouncer(ctx, path, ""); err == nil {
		return b, nil
	}
	cache, err := m.cacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "pgbouncer")
	b, err := unpackedBouncer(ctx, dir)
	if err == nil {
		return b, nil
	}
	if err := fetchDebian(ctx, dir, bouncerPackages...); err != nil {
		return nil, fmt.Errorf("pgtest: no PgBouncer for the tests (none is installed; %w): install pgbouncer", err)
	}
	if b, err = unpackedBouncer(ctx, dir); err != nil {
		return nil, fmt.Errorf("pgtest: PgBouncer of Debian's package does not run here (%w): install pgbouncer", err)
	}
	return b, nil
}

func unpackedBouncer(ctx context.Context, dir string) (*bouncerBinaries, error) {
	libraries, err := filepath.Glob(filepath.Join(dir, "usr/lib/*"))
	if err != nil {
		return nil, err
	}
	return inspectBouncer(ctx, filepath.Join(dir, "usr/sbin/pgbouncer"), strings.Join(libraries, ":"))
}

func inspectBouncer(ctx context.Context, path, libraries string) (*bouncerBinaries, error) {
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libraries)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", path, err)
	}
	version, _, _ := strings.Cut(string(out), "\n")
	return &bouncerBinaries{path: path, libraries: libraries, version: version}, nil
}

// fetchDebian downloads Debian packages and unpacks them at dir, all or none.
func fetchDebian(ctx context.Context, dir string, packages ...string) (err error) {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil { //nolint:gosec // the account that servers run as reads it
		return err
	}
	tmp, err := os.MkdirTemp(parent, "fetch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if err := shell(ctx, tmp, "apt-get", append([]string{"download", "--quiet"}, packages...)...); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil {
		return err
	}
	tree := filepath.Join(tmp, "tree")
	for _, archive := range archives {
		if err := shell(ctx, tmp, "dpkg-deb", "--extract", archive, tree); err != nil {
			return err
		}
	}
	if err := os.Chmod(tree, 0o755); err != nil { //nolint:gosec // likewise
		return err
	}
	if err := os.Rename(tree, dir); err != nil {
		if _, there := os.Stat(dir); there != nil { // another process was not faster
			return err
		}
	}
	return nil
}

func shell(ctx context.Context, dir, command string, args ...string) error {
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", command, args[0], err, lastLine(out))
	}
	return nil
}
