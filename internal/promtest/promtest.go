// Package promtest finds the real Prometheus and Alertmanager, with promtool and amtool, for tests.
//
// A program is looked for in the folder that STENT_TEST_PROMETHEUS names, on PATH, and in .cache/bin, where make puts what
// it has built. prometheus, promtool and amtool are else taken out of Debian's packages, which are downloaded into .cache;
// nothing is installed and no service is started. A test that cannot have a program fails.
package promtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// packages of Debian that the programs are in. Debian's Alertmanager is not among them: it wants a file at an absolute
// path, so it has to be installed.
var packages = map[string]string{
	"prometheus": "prometheus", "promtool": "prometheus",
	"amtool": "prometheus-alertmanager",
}

var fetching sync.Mutex

// Find returns the path of prometheus, promtool, alertmanager or amtool.
func Find(t testing.TB, program string) string {
	t.Helper()
	path, err := find(program)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func find(program string) (string, error) {
	if dir := os.Getenv("STENT_TEST_PROMETHEUS"); dir != "" {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, nil
		}
	}
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	if path, err := exec.LookPath(filepath.Join(cache(), "bin", program)); err == nil {
		return path, nil
	}
	name, ok := packages[program]
	if !ok {
		return "", fmt.Errorf("promtest: %s is not on PATH; `make test-alerts` builds it", program)
	}
	fetching.Lock()
	defer fetching.Unlock()
	dir := filepath.Join(cache(), "debian", name)
	path := filepath.Join(dir, "usr", "bin", program)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := fetch(name, dir, path); err != nil {
		return "", fmt.Errorf("promtest: %s is not on PATH and Debian's package cannot be had; install Prometheus and Alertmanager "+
			"(https://prometheus.io/download) and put their programs on PATH: %w", program, err)
	}
	return path, nil
}

// fetch downloads a package and unpacks it, as any user: nothing is installed. Another test may do so at the same time,
// and have the program there first.
func fetch(name, dir, path string) error {
	temporary, err := os.MkdirTemp("", "stent-debian-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	// Across file systems a rename fails, so it is copied, and renamed when it is whole.
	beside, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(beside)
	if err := download(name, temporary); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(temporary, "*.deb"))
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return fmt.Errorf("apt-get download %s: %d files", name, len(files))
	}
	unpacked := filepath.Join(temporary, "unpacked")
	if err := run("", "dpkg", "-x", files[0], unpacked); err != nil {
		return err
	}
	whole := filepath.Join(beside, name)
	if err := run("", "cp", "-rT", unpacked, whole); err != nil {
		return err
	}
	if err := os.Rename(whole, dir); err != nil {
		if _, missing := os.Stat(path); missing != nil {
			return err
		}
	}
	return nil
}

// download gets a package with the lists that the machine has, or, where it has none, with lists of its own.
func download(name, dir string) error {
	if run(dir, "apt-get", "download", name) == nil {
		return nil
	}
	own := func(args ...string) []string {
		return append([]string{"-o", "Dir::State::Lists=" + filepath.Join(dir, "lists"), "-o", "Dir::Cache=" + filepath.Join(dir, "cache")}, args...)
	}
	for _, folder := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return err
		}
	}
	if err := run(dir, "apt-get", own("update")...); err != nil {
		return err
	}
	return run(dir, "apt-get", own("download", name)...)
}

func run(dir, program string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// cache is the folder .cache of the checkout.
func cache() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", ".cache")
}
