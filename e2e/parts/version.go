package parts

import (
	"debug/buildinfo"
	"os/exec"
	"strings"
	"testing"
)

// Version is the version of a Go program: that of a module which it is made of, or, where it was not built here, the
// first line of what it says of itself.
func Version(t testing.TB, binary, module string) string {
	t.Helper()
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module && m.Version != "" {
			return m.Version
		}
	}
	out, err := exec.CommandContext(t.Context(), binary, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s --version: %v: %s", binary, err, out)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}
