package pgtest

import (
	"context"
	"io"
	"os/exec"
	"sync"
)

// guard is a shell that outlives this process, just long enough to clean up behind it. It reads from a pipe whose other
// end only this process holds: the end of file says that this process is gone, killed or not, or that it called release.
type guard struct {
	pipe io.Closer
	cmd  *exec.Cmd
	once sync.Once
	err  error
}

// guard starts a guard that runs script, with args as $1, $2, ..., as the account.
func (a *account) guard(script string, args ...string) (*guard, error) {
	wait := "trap '' HUP INT TERM; while read -r _; do :; done; "
	cmd := exec.CommandContext(context.Background(), "/bin/sh", append([]string{"-c", wait + script, "guard"}, args...)...)
	cmd.Dir = "/"
	cmd.Env = a.environ()
	cmd.SysProcAttr = a.attributes()
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &guard{pipe: pipe, cmd: cmd}, nil
}

// release makes the guard do its work now and waits for it.
func (g *guard) release() error {
	g.once.Do(func() {
		g.pipe.Close()
		g.err = g.cmd.Wait()
	})
	return g.err
}
