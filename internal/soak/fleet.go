//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// fleet is the worker processes. Whichever ends is started again, as a supervisor would.
type fleet struct {
	db     *database
	ledger *ledger
	mended string

	mu       sync.Mutex
	random   *rand.Rand
	next     int // process number
	closing  bool
	members  []*member
	restarts int // of processes that ended by themselves
	ended    []string
	watching sync.WaitGroup
}

// member is a place in the fleet, and the process that is in it now.
type member struct {
	proxy *proxy // nil on SQLite
	calm  bool   // its clock is right
	of    string // the program that it runs; "" for this one

	mu      sync.Mutex
	process int // its number, never used twice
	cmd     *exec.Cmd
	gone    chan struct{} // closed when the process has ended
	paused  bool
	stderr  *tail
}

// name is what the member's process calls its worker.
func (m *member) name() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return nameOf(m.process)
}

// recruit adds a member and starts its process.
func (f *fleet) recruit(ctx context.Context, calm bool, of string) error {
	m := &member{calm: calm, of: of}
	if f.db.server != nil {
		var err error
		if m.proxy, err = newProxy(ctx, f.db.hostPort); err != nil {
			return err
		}
	}
	if err := f.start(m); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = append(f.members, m)
	return nil
}

// start starts a process of a member's, and another one when that ends.
func (f *fleet) start(m *member) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing {
		return nil
	}
	f.next++
	o := orders{Process: f.next, Backend: f.db.name, Address: f.db.address(m.proxy), Ledger: f.ledger.file.Name(), Mended: f.mended}
	if !m.calm && f.random.IntN(2) == 0 {
		o.Ahead = time.Duration(f.random.Int64N(int64(4*time.Hour))) - 2*time.Hour
		f.db.report.inject(clockOff)
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	program := m.of
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return err
		}
	}
	cmd := exec.Command(program) //nolint:noctx // the nemesis ends it
	cmd.Env = append(os.Environ(), workerEnv+"="+string(text))
	stderr := &tail{}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	gone := make(chan struct{})
	m.mu.Lock()
	m.process, m.cmd, m.gone, m.paused, m.stderr = o.Process, cmd, gone, false, stderr
	m.mu.Unlock()
	f.watching.Go(func() { f.watch(m, o.Process, cmd, gone, stderr) })
	return nil
}

func (f *fleet) watch(m *member, process int, cmd *exec.Cmd, gone chan struct{}, stderr *tail) {
	err := cmd.Wait()
	close(gone)
	f.mu.Lock()
	var exit *exec.ExitError
	if err != nil && asExit(err, &exit) && exit.Exited() {
		f.restarts++
		f.ended = append(f.ended, fmt.Sprintf("p%d: %v: %s", process, err, stderr.last()))
	}
	f.mu.Unlock()
	<-time.After(100 * time.Millisecond)
	if err := f.start(m); err != nil {
		f.db.report.violate("the director cannot start a worker: %v", err)
	}
}

func asExit(err error, to **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError) //nolint:errorlint // Wait does not wrap it
	*to = e
	return ok
}

// any is a member at random whose process runs.
func (f *fleet) any(r *rand.Rand) *member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members[r.IntN(len(f.members))]
}

func (f *fleet) all() []*member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*member(nil), f.members...)
}

// signal sends a signal to a member's process and writes it into the ledger: before it is stopped, so that nothing of it
// is there after that line but what was under way.
func (f *fleet) signal(m *member, s syscall.Signal, what happening) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if what != "" {
		if err := f.ledger.writeOf(m.process, entry{What: what}); err != nil {
			f.db.report.violate("the ledger cannot be written: %v", err)
		}
	}
	_ = m.cmd.Process.Signal(s) // it may have ended by itself
	m.paused = s == syscall.SIGSTOP
}

// dismiss ends all processes as a deployment does, or kills those that do not end in time, and starts no more.
func (f *fleet) dismiss() (late int) {
	f.mu.Lock()
	f.closing = true
	f.mu.Unlock()
	for _, m := range f.all() {
		f.signal(m, syscall.SIGCONT, resumed)
		f.signal(m, syscall.SIGTERM, "")
	}
	for _, m := range f.all() {
		m.mu.Lock()
		gone := m.gone
		m.mu.Unlock()
		select {
		case <-gone:
		case <-time.After(time.Minute):
			late++
			f.db.report.violate("p%d did not end within a minute of SIGTERM", m.process)
			_ = m.cmd.Process.Signal(syscall.SIGQUIT)
			<-time.After(time.Second)
			f.db.report.note("%s", m.stderr.text())
			_ = m.cmd.Process.Kill()
			<-gone
		}
		if m.proxy != nil {
			m.proxy.close()
		}
	}
	f.watching.Wait()
	return late
}

// tail keeps the end of what a process printed.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if len(t.data) > 256<<10 {
		t.data = append([]byte(nil), t.data[len(t.data)-128<<10:]...)
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(t.data), []byte("\n"))
	return string(lines[len(lines)-1])
}
