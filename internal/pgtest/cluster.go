package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// binaries is an installation that servers are run from.
type binaries struct {
	dir     string // of initdb, pg_ctl and postgres
	name    string // for people
	version string
}

func (b *binaries) String() string { return b.name }

// cluster is a server that runs from binaries, in a folder of its own that goes away with it.
type cluster struct {
	bin   *binaries
	dir   string // data/ and log
	port  int
	owner *account
	guard *guard
}

// settings make a server fit for tests: room for many pools, and what it finds strange in its log. It keeps fsync, so
// that times measured against it mean something. Its zone is an awkward one on purpose (3:30 west, with summer time):
// code that lets the session's zone into a result shows it.
const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
timezone = 'America/St_Johns'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
log_lock_waits = on
`

func (b *binaries) create(ctx context.Context) (_ control, err error) {
	c := &cluster{bin: b}
	if c.owner, err = serverAccount(); err != nil {
		return nil, err
	}
	if !c.owner.reaches(b.dir) {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root, and the user %s cannot reach %s", c.owner.name, b.dir)
	}
	if c.dir, err = c.owner.mkdirTemp("stent-postgres-"); err != nil {
		return nil, err
	}
	// A server whose folder is gone ends by itself within a minute: so even one that pg_ctl does not see yet ends.
	c.guard, err = c.owner.guard(`"$1" stop --silent --mode=immediate --pgdata="$2/data"; cd / && rm -rf "$2"`, c.bin.path("pg_ctl"), c.dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	if err := c.init(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	if err := c.listen(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// listen starts the server at a port of its own. Another program may take that in between, and it is given another.
func (c *cluster) listen(ctx context.Context) error {
	for tries := 1; ; tries++ {
		var err error
		if c.port, err = freePort(ctx); err != nil {
			return err
		}
		if err := c.set(fmt.Sprintf("port = %d\n", c.port)); err != nil {
			return err
		}
		if err = c.start(ctx); err == nil || tries == 5 || !strings.Contains(err.Error(), "Address already in use") {
			return err
		}
	}
}

func (c *cluster) init(ctx context.Context) error {
	if err := c.run(ctx, "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata="+c.data()); err != nil {
		return err
	}
	return c.set(settings)
}

// set adds lines to the configuration. Of two for one setting the last holds.
func (c *cluster) set(lines string) error {
	conf, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer conf.Close()
	if _, err := conf.WriteString(lines); err != nil {
		return err
	}
	return conf.Close()
}

func (c *cluster) start(ctx context.Context) error {
	err := c.run(ctx, "pg_ctl", "start", "--silent", "--wait", "--timeout=120", "--pgdata="+c.data(), "--log="+c.log())
	if err != nil {
		log, _ := os.ReadFile(c.log())
		return fmt.Errorf("%w\n%s", err, log)
	}
	return nil
}

func (c *cluster) stop(ctx context.Context, crash bool) error {
	mode := "fast"
	if crash {
		mode = "immediate"
	}
	return c.run(ctx, "pg_ctl", "stop", "--silent", "--wait", "--mode="+mode, "--pgdata="+c.data())
}

func (c *cluster) dsn() string {
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(c.port) + "/postgres?sslmode=disable"
}

// close leaves the work to the guard, which does the same when nobody calls close.
func (c *cluster) close() error { return c.guard.release() }

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }
func (c *cluster) log() string  { return filepath.Join(c.dir, "log") }

func (b *binaries) path(command string) string { return filepath.Join(b.dir, command) }

// run runs one of the server's commands as the server's user.
func (c *cluster) run(ctx context.Context, command string, args ...string) error {
	cmd := exec.CommandContext(ctx, c.bin.path(command), args...)
	cmd.Dir = c.dir
	cmd.Env = c.owner.environ()
	cmd.SysProcAttr = c.owner.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// freePort picks a port that nobody listens on. It stays below the range that systems take for outgoing connections,
// for there a client that tries to reach a stopped server could get the server's port, or connect to itself.
func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	var err error
	for range 100 {
		port := 20000 + rand.IntN(12000)
		var l net.Listener
		if l, err = lc.Listen(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}
