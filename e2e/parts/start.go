package parts

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may take to be ready, and the world to come round, on a machine that does other things.
const patience = 2 * time.Minute

// Ports finds n ports of the loopback interface that nobody listens on, neither by TCP nor by UDP.
func Ports(t testing.TB, n int) []int {
	t.Helper()
	var (
		ports []int
		held  []interface{ Close() error }
	)
	defer func() {
		for _, h := range held {
			_ = h.Close()
		}
	}()
	for len(ports) < n {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, tcp)
		port := tcp.Addr().(*net.TCPAddr).Port
		udp, err := net.ListenPacket("udp", addr(port))
		if err != nil {
			continue
		}
		held = append(held, udp)
		ports = append(ports, port)
	}
	return ports
}

// Program is a program that runs.
type Program struct {
	Process *os.Process
	name    string
	ended   chan struct{}
}

// Kill ends the program with SIGKILL and waits until it has ended.
func (p *Program) Kill() {
	_ = p.Process.Kill()
	<-p.ended
}

// Ended is closed when the program has ended.
func (p *Program) Ended() <-chan struct{} { return p.ended }

// Start runs a program until the test ends. What it prints is shown if the test fails.
func Start(t testing.TB, binary string, env []string, args ...string) *Program {
	t.Helper()
	out := &log{}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := startTogether(cmd); err != nil {
		t.Fatal(err)
	}
	p := &Program{Process: cmd.Process, name: filepath.Base(binary), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(10 * time.Second):
			p.Kill()
		}
		if t.Failed() && out.String() != "" {
			t.Logf("%s printed:\n%s", binary, out.String())
		}
	})
	return p
}

type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Eventually polls until done returns no error.
func Eventually(t testing.TB, done func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("did not happen within %v: %v", patience, err)
		}
		<-time.After(pause)
	}
}

// Listens waits until the program accepts a connection at host:port.
func (p *Program) Listens(t testing.TB, address string) {
	t.Helper()
	p.ready(t, func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err
	})
}

// Ready waits until the program answers a GET of the address with 2xx.
func (p *Program) Ready(t testing.TB, url string) {
	t.Helper()
	p.ready(t, func() error {
		response, err := http.Get(url) //nolint:noctx // the test's end ends it
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode/100 != 2 {
			return errors.New(url + ": " + response.Status)
		}
		return nil
	})
}

func (p *Program) ready(t testing.TB, is func() error) {
	t.Helper()
	Eventually(t, func() error {
		select {
		case <-p.ended:
			t.Fatalf("%s ended before it was ready", p.name)
		default:
		}
		return is()
	})
}
