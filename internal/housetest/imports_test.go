package housetest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stentgo/stent"

// layers says which of our packages the code of each of our packages may import. Both sides are patterns, separated by
// blanks, of paths below the module; the first row that matches a package counts. So an adapter that its row does not
// name cannot be imported by another adapter, and a package that no row names is a question that its author answers here.
var layers = []struct{ packages, may string }{
	{".", ""},
	{"core/backend", ""},
	{"core", "core/backend core/cron core/internal/stack"},
	{"core/cron", ""},
	{"core/internal/*", "core/backend"},
	{"core/backend/backendtest", "core/backend"},
	{"core/backend/*", "core/backend core/internal/stack"},
	{"core/stenttest", "core core/backend core/backend/memory"},

	{"metrics", ""},
	{"recorder/budget", "metrics"},
	{"recorder/gauges", "core core/backend metrics recorder/budget"},
	{"recorder/recordertest", "core core/* core/backend core/backend/* metrics"},
	{"recorder/*", "core core/backend metrics recorder/budget recorder/gauges"},
	{"logctx", "core"},
	{"logctx/*", "core logctx"},
	{"tracing/*", "core core/backend"},
	{"internal/promql internal/promql/promlint", "metrics"},
	{"dashboards alerts", "metrics internal/promql"},

	{"cmd/stent", "internal/cli"},
	{"internal/cli", "internal/cli/* core core/* core/backend/* metrics recorder/* logctx logctx/* tracing/* dashboards alerts"},
	{"internal/cli/*", "core core/* core/backend/* metrics recorder/* logctx logctx/* tracing/* alerts"},
	{"internal/pgtest internal/promtest internal/housetest", ""},
	{"internal/statsdtest", "core metrics recorder/recordertest recorder/statsd"},
	{"internal/pgtest/pgserver", "internal/pgtest"},
	{"internal/crashtest", "core/stenttest core/backend core/backend/* internal/pgtest"},
	{"internal/soak", "core core/backend core/backend/* internal/pgtest"},
	{"examples/*", "core core/* core/backend/* metrics recorder/* logctx logctx/* tracing/*"},
}

func TestLayers(t *testing.T) {
	packages := list(t, "./...")
	for _, name := range []string{"core", "core/backend", "core/backend/sqlite", "core/backend/postgres"} {
		if !slices.ContainsFunc(packages, func(p pkg) bool { return p.name() == name }) {
			t.Errorf("package %s is not there", name)
		}
	}
	for _, p := range packages {
		row := slices.IndexFunc(layers, func(row struct{ packages, may string }) bool { return matches(row.packages, p.name()) })
		if row < 0 {
			t.Errorf("package %s stands in no layer: add it to the table", p.name())
			continue
		}
		for _, imported := range p.Imports {
			name, ours := strings.CutPrefix(imported, module+"/")
			if ours && !matches(layers[row].may, name) {
				t.Errorf("package %s imports %s; it may import: %s", p.name(), name, layers[row].may)
			}
		}
	}
}

// A program that uses core compiles no driver, no logger and no telemetry library that it did not ask for: whatever core
// needs is in the standard library, and of that not the parts that a program would notice.
func TestCoreNeedsTheStandardLibraryAlone(t *testing.T) {
	for _, root := range []string{"./core", "./core/backend"} {
		for _, p := range list(t, "-deps", root) {
			if !p.Standard && p.name() != "core" && !strings.HasPrefix(p.name(), "core/") {
				t.Errorf("%s needs %s", root, p.ImportPath)
			}
			if slices.Contains([]string{"database/sql", "expvar", "flag", "net/http", "testing"}, p.ImportPath) {
				t.Errorf("%s needs %s", root, p.ImportPath)
			}
		}
	}
	for _, p := range list(t, "./core", "./core/backend") {
		if slices.Contains(p.Imports, "log") {
			t.Errorf("%s imports log: log/slog is the logger", p.name())
		}
	}
}

// What is deprecated, or heavy, is imported where it is meant to be and nowhere else.
func TestOnlyOnePackageImports(t *testing.T) {
	packages := list(t, "./...")
	for imported, want := range map[string]string{
		"go.opentelemetry.io/otel/exporters/jaeger": "tracing/jaeger",
		"go.opentelemetry.io/otel/sdk/trace":        "tracing/jaeger",
	} {
		var got []string
		for _, p := range packages {
			if slices.Contains(p.Imports, imported) {
				got = append(got, p.name())
			}
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%s is imported by %v; only %s may", imported, got, want)
		}
	}
}

// pkg is what these tests read of `go list`.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Error      *struct{ Err string }
}

// name is the path below the module, or the whole path of what is not ours.
func (p pkg) name() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

// list runs `go list` in the root of the checkout, and fails the test where a package is missing.
func list(t *testing.T, args ...string) (packages []pkg) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json=ImportPath,Standard,Imports,Error"}, args...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v%s", cmd, err, stderr(err))
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Error != nil {
			t.Fatalf("package %s: %s", p.ImportPath, p.Error.Err)
		}
		packages = append(packages, p)
	}
}

// matches tells whether one of the patterns, separated by blanks, matches the name.
func matches(patterns, name string) bool {
	return slices.ContainsFunc(strings.Fields(patterns), func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// stderr is what a command printed before it failed.
func stderr(err error) string {
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "\n" + string(failed.Stderr)
	}
	return ""
}
