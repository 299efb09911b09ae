package alerts_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stentgo/stent/alerts"
)

//go:generate go test . -run TestFilesAreWhatTheGeneratorWrites -update

var update = flag.Bool("update", false, "write the files that are generated")

// files are what is checked in, by name.
func files() map[string][]byte {
	return map[string][]byte{
		"stent.rules.yml":             alerts.Prometheus(alerts.Options{}),
		"stent.prometheusrule.yml":    alerts.Operator(alerts.Options{}),
		"stent.grafana.yml":           alerts.Grafana(alerts.Options{}, ""),
		"alertmanager.yml":            alerts.Alertmanager(alerts.Options{}),
		"../docs/reference/alerts.md": alerts.Reference(alerts.Options{}),
	}
}

func TestFilesAreWhatTheGeneratorWrites(t *testing.T) {
	again := files()
	for name, text := range files() {
		if !bytes.Equal(text, again[name]) {
			t.Errorf("%s: generating it twice gives different bytes", name)
		}
		if *update {
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is not what the generator writes: go generate ./alerts (%v)", name, err)
		}
	}
}
