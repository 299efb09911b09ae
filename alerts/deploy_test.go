//go:build promtool

package alerts

import (
	"os"
	"path/filepath"
	"testing"
)

// The configurations of deploy are read by the programs that they are for, with the rules in place.
func TestDeployedConfigurations(t *testing.T) {
	read := func(name string) []byte {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "rules"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"prometheus.yml": read("prometheus/prometheus.yml"), "rules/stent.rules.yml": Prometheus(Options{}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := promtool(t, dir, nil, "check", "config", "prometheus.yml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := amtoolText(t, read("alertmanager/alertmanager.yml"), "check-config", "alertmanager.yml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
