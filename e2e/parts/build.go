package parts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// root is the checkout.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

var building sync.Mutex

// Build returns the path of a program, and builds it first if that was not done or its version has changed. tool is the
// name of its folder in tools, and pkg the package of its main. Programs are kept in .cache/bin.
func Build(t testing.TB, tool, pkg string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	module := filepath.Join(root(), "e2e", "tools", tool)
	binary := filepath.Join(root(), ".cache", "bin", tool)
	if isNewer(binary, filepath.Join(module, "go.mod")) && isNewer(binary, filepath.Join(module, "go.sum")) {
		return binary
	}
	t.Logf("%s is built from e2e/tools/%s, which takes minutes and is kept in .cache/bin", tool, tool)
	run(t, module, "go", "build", "-o", binary, pkg)
	return binary
}

// BuildStent builds the command stent from this checkout.
func BuildStent(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "stent")
	run(t, root(), "go", "build", "-o", binary, "./cmd/stent")
	return binary
}

func run(t testing.TB, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("a part cannot be had: %s in %s: %v\n%s", cmd, dir, err, out)
	}
}

func isNewer(file, than string) bool {
	a, err := os.Stat(file)
	if err != nil {
		return false
	}
	b, err := os.Stat(than)
	return err == nil && a.ModTime().After(b.ModTime())
}

// addr is a port of the loopback interface, as host:port.
func addr(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
