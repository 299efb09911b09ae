package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// image is an image that servers are run from with Docker.
type image struct {
	docker string
	name   string
}

func (i image) String() string { return "the image " + i.name }

// docker is the official image of the wanted major, else of the newest.
func (m machine) docker(ctx context.Context, want int) (source, error) {
	docker, err := m.lookPath("docker")
	if err != nil {
		return nil, errors.New("no Docker")
	}
	if want == 0 {
		want = newestMajor
	}
	i := image{docker: docker, name: "postgres:" + strconv.Itoa(want)}
	if _, err := i.run(ctx, "image", "inspect", i.name); err == nil {
		return i, nil
	}
	if _, err := i.run(ctx, "pull", i.name); err != nil {
		return nil, err
	}
	return i, nil
}

// container is a server in a container.
type container struct {
	image
	id    string
	port  int
	guard *guard
}

func (i image) create(ctx context.Context) (_ control, err error) {
	c := &container{image: i}
	if c.port, err = freePort(ctx); err != nil {
		return nil, err
	}
	args := []string{"create", "--publish", fmt.Sprintf("127.0.0.1:%d:5432", c.port), "--env", "POSTGRES_HOST_AUTH_METHOD=trust", i.name}
	for line := range strings.SplitSeq(strings.TrimSpace(settings), "\n") {
		name, value, _ := strings.Cut(line, " = ")
		if name == "listen_addresses" || name == "unix_socket_directories" {
			continue // the container has its own, and needs them
		}
		args = append(args, "-c", name+"="+strings.Trim(value, "'"))
	}
	if c.id, err = i.run(ctx, args...); err != nil {
		return nil, err
	}
	var self *account
	if c.guard, err = self.guard(`"$1" rm --force --volumes "$2" >/dev/null`, i.docker, c.id); err != nil {
		return nil, err
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *container) start(ctx context.Context) error {
	if _, err := c.run(ctx, "start", c.id); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.dsn())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *container) stop(ctx context.Context, crash bool) error {
	signal := "INT" // a fast shutdown
	if crash {
		signal = "QUIT" // an immediate one
	}
	if _, err := c.run(ctx, "kill", "--signal", signal, c.id); err != nil {
		return err
	}
	_, err := c.run(ctx, "wait", c.id)
	return err
}

func (c *container) dsn() string {
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(c.port) + "/postgres?sslmode=disable"
}

func (c *container) close() error { return c.guard.release() }

// run runs one of Docker's commands and returns its output.
func (i image) run(ctx context.Context, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, i.docker, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, lastLine(stderr.Bytes()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
