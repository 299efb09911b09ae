package promtest

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Alertmanager starts a real one with a configuration, and returns its address. It ends with the test.
func Alertmanager(t testing.TB, config []byte) string {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	file := write(t, dir, "alertmanager.yml", config)
	start(t, address+"/-/ready", Find(t, "alertmanager"), "--config.file="+file, "--storage.path="+dir,
		"--web.listen-address="+address, "--cluster.listen-address=")
	return "http://" + address
}

// Prometheus starts a real one with a configuration, and further arguments; files are written beside it, by name. It
// returns its address and ends with the test.
func Prometheus(t testing.TB, config []byte, files map[string][]byte, args ...string) string {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	for name, content := range files {
		write(t, dir, name, content)
	}
	file := write(t, dir, "prometheus.yml", config)
	args = append([]string{"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address}, args...)
	start(t, address+"/-/ready", Find(t, "prometheus"), args...)
	return "http://" + address
}

func write(t testing.TB, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func freeAddress(t testing.TB) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts a program and waits until it is ready.
func start(t testing.TB, ready, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, args...)
	var said output
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		<-ended //nolint:errcheck // it was killed
	})
	for deadline := time.Now().Add(time.Minute); ; {
		if answers(ctx, "http://"+ready) {
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", program, err, said.String())
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready\n%s", program, said.String())
		}
	}
}

func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// output is what a program says, read while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
