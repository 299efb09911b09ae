//go:build promtool

package dashboards_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stentgo/stent/dashboards"
	"github.com/stentgo/stent/internal/promtest"
)

// Prometheus's own parser reads every query: each is made a recording rule, with the values that Grafana fills in.
func TestPrometheusParsesEveryQuery(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			var rules strings.Builder
			n := 0
			for _, d := range dashboards.All(o) {
				for _, p := range d.Panels {
					for _, target := range p.Targets {
						n++
						fmt.Fprintf(&rules, "  - record: level:query%d:test\n    expr: %s\n", n, strconv.Quote(filled(target.Expr)))
					}
				}
				for _, a := range d.Annotations.List {
					n++
					fmt.Fprintf(&rules, "  - record: level:query%d:test\n    expr: %s\n", n, strconv.Quote(a.Expr))
				}
			}
			if n < 100 {
				t.Fatalf("%d queries", n)
			}
			if out, err := check(t, rules.String()); err != nil || !strings.Contains(out, fmt.Sprintf("%d rules found", n)) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	if out, err := check(t, "  - record: level:query:test\n    expr: sum by (le (x)\n"); err == nil {
		t.Errorf("a broken query is accepted: %s", out)
	}
}

func filled(expr string) string {
	expr = strings.ReplaceAll(expr, "$__rate_interval", "1m")
	for _, variable := range []string{"job", "namespace", "cluster", "queue", "step", "workflow"} {
		expr = strings.ReplaceAll(expr, `"$`+variable+`"`, `".*"`)
	}
	return expr
}

func check(t *testing.T, rules string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(path, []byte("groups:\n- name: queries\n  rules:\n"+rules), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), promtest.Find(t, "promtool"), "check", "rules", path).CombinedOutput()
	return string(out), err
}
