package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Without flags the commands write what is checked in.
func TestAlertsAndDashboardsAreThoseOfTheRepository(t *testing.T) {
	for _, c := range []struct {
		args  string
		files map[string]string // as written, as checked in
	}{
		{"alerts", map[string]string{"stent.rules.yml": "alerts/stent.rules.yml", "alertmanager.yml": "alerts/alertmanager.yml"}},
		{"alerts --format operator", map[string]string{"stent.prometheusrule.yml": "alerts/stent.prometheusrule.yml"}},
		{"alerts --format grafana", map[string]string{"stent.grafana.yml": "alerts/stent.grafana.yml"}},
		{"dashboards", map[string]string{
			"stent-overview.json": "dashboards/overview.json", "stent-queue.json": "dashboards/queue.json",
			"stent-workflow.json": "dashboards/workflow.json", "stent-engine.json": "dashboards/engine.json",
		}},
	} {
		t.Run(c.args, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			r := stent(t.Context(), &testClock{}, append(strings.Fields(c.args), "--out", dir)...)
			if r.code != exitOK || !strings.Contains(r.stdout, "wrote "+dir) {
				t.Fatalf("exit code %d, %q, %q", r.code, r.stdout, r.stderr)
			}
			for name, checkedIn := range c.files {
				got, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(filepath.Join("..", "..", checkedIn))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s is not %s", name, checkedIn)
				}
			}
			if r := stent(t.Context(), &testClock{}, append(strings.Fields(c.args), "--out", dir)...); !strings.Contains(r.stdout, "as before: ") ||
				strings.Contains(r.stdout, "wrote") {
				t.Errorf("the second time: %q", r.stdout)
			}
		})
	}
}

func TestAlertFlags(t *testing.T) {
	dir := t.TempDir()
	r := stent(t.Context(), &testClock{}, "alerts", "--out", dir, "--selector", `job="orders"`, "--keep", "none", "--queue-depth", "5000",
		"--queue-age", "2h", "--for", "StentQueueGrowing=30m", "--severity", "StentRetryStorm=info", "--label", "team=shop",
		"--disable", "StentClockSkewed", "--growth-window", "1h", "--grafana-url", "https://grafana.example")
	text, err := os.ReadFile(filepath.Join(dir, "stent.rules.yml"))
	if err != nil {
		t.Fatalf("%v: %s", err, r.stderr)
	}
	for _, want := range []string{
		`max by (queue) (stent_queue_depth{job=\"orders\"})`, "> 5000", "> 7200", `for: "30m"`, "severity: info", "team: shop",
		"[1h]", "https://grafana.example/d/stent-queue",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(string(text), "StentClockSkewed") {
		t.Error("a disabled alert is there")
	}
}

func TestAlertFlagsThatAreNotUnderstood(t *testing.T) {
	for args, want := range map[string]string{
		"alerts":                                       "--out: want the folder",
		"dashboards":                                   "--out: want the folder",
		"alerts --out x --format yaml":                 "want prometheus, operator or grafana",
		"alerts --out x --for StentQueue=1m":           `no alert "StentQueue"`,
		"alerts --out x --severity Stent=page":         `no alert "Stent"`,
		"alerts --out x --disable Stent":               `no alert "Stent"`,
		"alerts --out x --for StentQueueGrowing=soon":  "want a duration",
		"alerts --out x --queue-age soon":              "want a duration",
		"alerts --out x --queue-age 0s":                "want a duration",
		"alerts --out x --keep a-b":                    "is no label",
		"alerts --out x --label a-b=c":                 "want a name of letters",
		"alerts --out x --selector {job=\"a\"}":        "without braces",
		"alerts --out x --scale 0":                     "want a number above 0",
		"alerts watch --alertmanager localhost":        "want http://host:9093",
		"alerts watch":                                 "want http://host:9093",
		"alerts watch --alertmanager http://a --queue": "unknown flag",
	} {
		if r := stent(t.Context(), &testClock{}, strings.Fields(args)...); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("stent %s: exit code %d, %q; want %q", args, r.code, r.stderr, want)
		}
	}
}

func TestDurationFlag(t *testing.T) {
	for in, want := range map[string]string{"90s": "1m30s", "5m": "5m", "2h": "2h", "1d": "24h", "1.5h": "1h30m"} {
		var d durationFlag
		if err := d.Set(in); err != nil || d.String() != want {
			t.Errorf("%s is shown as %s, %v; want %s", in, d.String(), err, want)
		}
	}
	if d := durationFlag(time.Second); d.String() != "1s" {
		t.Errorf("a second is shown as %s", d.String())
	}
}
