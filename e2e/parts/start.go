package parts

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
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

// Start runs a program until the test ends. What it prints is shown if the test fails.
func Start(t testing.TB, binary string, env []string, args ...string) {
	t.Helper()
	out := &log{}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", binary, out.String())
		}
	})
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

// Ready waits until a GET of the address is answered with 2xx.
func Ready(t testing.TB, url string) {
	t.Helper()
	Eventually(t, func() error {
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
