package housetest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWhatAnImportCosts looks from outside: a new module that imports some of our packages, tidied and built. All that a
// user downloads is in its go.sum, and that includes what the tests of our packages, and of theirs, import. A new name
// here is a price that every user pays; it is written down only if it is worth that.
func TestWhatAnImportCosts(t *testing.T) {
	for _, test := range []struct {
		name    string
		imports []string
		modules []string // in go.sum
	}{
		{
			name:    "the engine on SQLite",
			imports: []string{"core", "core/backend/sqlite"},
			modules: []string{
				"github.com/dustin/go-humanize",
				"github.com/google/pprof", // tests of modernc.org's modules
				"github.com/google/uuid",
				"github.com/hashicorp/golang-lru/v2",
				"github.com/mattn/go-isatty",
				"github.com/ncruces/go-strftime",
				"github.com/remyoudompheng/bigfft",
				"golang.org/x/mod",
				"golang.org/x/sync",
				"golang.org/x/sys",
				"golang.org/x/tools",
				"modernc.org/cc/v4",
				"modernc.org/ccgo/v4",
				"modernc.org/fileutil",
				"modernc.org/gc/v2",
				"modernc.org/gc/v3",
				"modernc.org/goabi0",
				"modernc.org/libc",
				"modernc.org/mathutil",
				"modernc.org/memory",
				"modernc.org/opt",
				"modernc.org/sortutil",
				"modernc.org/sqlite",
				"modernc.org/strutil",
				"modernc.org/token",
			},
		},
		{
			name:    "the test kit",
			imports: []string{"core", "core/stenttest"},
		},
		{
			name:    "slog's injector",
			imports: []string{"logctx/slog"},
		},
		{
			name:    "zap's injector",
			imports: []string{"logctx/zap"},
			modules: []string{
				"github.com/davecgh/go-spew", // tests of zap, as all but zap and multierr
				"github.com/pmezard/go-difflib",
				"github.com/stretchr/testify",
				"go.uber.org/goleak",
				"go.uber.org/multierr",
				"go.uber.org/zap",
				"gopkg.in/yaml.v3",
			},
		},
		{
			name:    "zerolog's injector",
			imports: []string{"logctx/zerolog"},
			modules: []string{
				"github.com/mattn/go-colorable",
				"github.com/mattn/go-isatty",
				"github.com/rs/zerolog",
				"golang.org/x/sys",
			},
		},
		{
			name:    "spans by OpenTelemetry",
			imports: []string{"tracing/otel"},
			modules: []string{
				"github.com/davecgh/go-spew", // tests of OpenTelemetry, as testify and go-cmp
				"github.com/go-logr/logr",
				"github.com/go-logr/stdr",
				"github.com/google/go-cmp",
				"github.com/pmezard/go-difflib",
				"github.com/stretchr/testify",
				"go.opentelemetry.io/otel",
				"go.opentelemetry.io/otel/metric",
				"go.opentelemetry.io/otel/trace",
				"gopkg.in/yaml.v3",
			},
		},
		{
			name:    "metrics for Prometheus",
			imports: []string{"recorder/prometheus"},
			modules: []string{
				"github.com/beorn7/perks",
				"github.com/cespare/xxhash/v2",
				"github.com/davecgh/go-spew", // tests of client_golang, as go-cmp
				"github.com/google/go-cmp",
				"github.com/prometheus/client_golang",
				"github.com/prometheus/client_model",
				"github.com/prometheus/common",
				"github.com/prometheus/procfs",
				"golang.org/x/sys",
				"google.golang.org/protobuf",
			},
		},
		{
			name:    "metrics for StatsD",
			imports: []string{"recorder/statsd"},
			modules: []string{
				"github.com/cactus/go-statsd-client/v5",
			},
		},
		{
			name:    "metrics by OpenTelemetry",
			imports: []string{"recorder/otel"},
			modules: []string{
				"github.com/davecgh/go-spew", // tests of OpenTelemetry, as testify and go-cmp
				"github.com/go-logr/logr",
				"github.com/go-logr/stdr",
				"github.com/google/go-cmp",
				"github.com/google/uuid", // the SDK, as x/sys
				"github.com/pmezard/go-difflib",
				"github.com/stretchr/testify",
				"go.opentelemetry.io/otel",
				"go.opentelemetry.io/otel/metric",
				"go.opentelemetry.io/otel/sdk", // our tests: whoever collects has it
				"go.opentelemetry.io/otel/sdk/metric",
				"go.opentelemetry.io/otel/trace",
				"golang.org/x/sys",
				"gopkg.in/yaml.v3",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := outside(t, test.imports)
			run(t, dir, "go", "mod", "tidy")
			run(t, dir, "go", "build", "./...")

			sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // who downloads nothing has none
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(string(sum)) {
				path, rest, _ := strings.Cut(line, " ")
				if version, _, _ := strings.Cut(rest, " "); !strings.HasSuffix(version, "/go.mod") {
					got = append(got, path)
				}
			}
			for _, path := range got {
				if !slices.Contains(test.modules, path) {
					t.Errorf("a user now downloads %s", path)
				}
			}
			for _, path := range test.modules {
				if !slices.Contains(got, path) {
					t.Errorf("a user no longer downloads %s: take it off the list", path)
				}
			}
			if mod := read(t, filepath.Join(dir, "go.mod")); !strings.Contains(mod, "\ngo 1.25.0\n") {
				t.Errorf("a user's module now needs another Go:\n%s", mod)
			}
		})
	}
}

// outside makes a module of its own that imports our packages from this checkout.
func outside(t *testing.T, imports []string) string {
	t.Helper()
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	var program strings.Builder
	program.WriteString("package main\n\n")
	for _, name := range imports {
		if found, err := filepath.Glob(filepath.Join(checkout, name, "*.go")); err != nil || len(found) == 0 {
			t.Fatalf("package %s is not there (%v)", name, err)
		}
		program.WriteString("import _ \"" + module + "/" + name + "\"\n")
	}
	program.WriteString("\nfunc main() {}\n")

	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), program.String())
	write(t, filepath.Join(dir, "go.mod"), "module example.com/outside\n\ngo 1.25.0\n\n"+
		"require "+module+" v0.0.0\n\nreplace "+module+" => "+checkout+"\n")
	return dir
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
