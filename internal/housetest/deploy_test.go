package housetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Docker is not run here; this is what can be told without it.
func TestDeploymentFilesAgree(t *testing.T) {
	folder := filepath.Join(root, "deploy")
	compose := read(t, filepath.Join(folder, "compose.yml"))
	mounts := regexp.MustCompile(`(?m)^\s+- (\.[^:]*):(/[^:]*):ro$`).FindAllStringSubmatch(compose, -1)
	if len(mounts) < 8 {
		t.Errorf("%d files are mounted", len(mounts))
	}
	inside := map[string]bool{}
	for _, m := range mounts {
		if _, err := os.Stat(filepath.Join(folder, m[1])); err != nil {
			t.Errorf("a file that is mounted is missing: %v", err)
		}
		inside[m[2]] = true
	}
	for _, path := range []string{
		"/etc/prometheus/prometheus.yml", "/etc/prometheus/rules/stent.rules.yml", "/etc/alertmanager/alertmanager.yml", "/etc/grafana/provisioning",
	} {
		if !inside[path] {
			t.Errorf("nothing is mounted at %s", path)
		}
	}
	dashboards, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil || len(dashboards) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	for _, d := range dashboards {
		if !inside["/var/lib/grafana/dashboards/"+filepath.Base(d)] {
			t.Errorf("%s is not mounted", d)
		}
	}
	// Who is asked for by name is there, and listens on that port.
	for file, addresses := range map[string][]string{
		"prometheus/prometheus.yml":                        {"alertmanager:9093"},
		"grafana/provisioning/datasources/datasources.yml": {"http://prometheus:9090", "http://jaeger:16686", "http://alertmanager:9093", "uid: prometheus"},
		"grafana/provisioning/dashboards/dashboards.yml":   {"path: /var/lib/grafana/dashboards"},
		"../alerts/stent.grafana.yml":                      {`datasourceUid: prometheus`},
		"compose.yml":                                      {"127.0.0.1:9090:9090", "127.0.0.1:9093:9093", "127.0.0.1:16686:16686", "127.0.0.1:3000:3000"},
	} {
		text := read(t, filepath.Join(folder, file))
		for _, address := range addresses {
			if !strings.Contains(text, address) {
				t.Errorf("%s does not name %s", file, address)
			}
		}
		if strings.Contains(text, "\t") {
			t.Errorf("%s has a tab, which YAML does not allow", file)
		}
	}
	for line := range strings.SplitSeq(compose, "\n") {
		if port := regexp.MustCompile(`"(\d+:\d+)`).FindString(line); port != "" {
			t.Errorf("a port is open to everybody: %s", strings.TrimSpace(line))
		}
	}
}
