package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/internal/promql/promlint"
)

var variants = map[string]Options{
	"as checked in": {Keep: []string{"namespace"}},
	"one database":  {Keep: []string{}},
	"fitted": {
		Selector: `job="orders"`, Keep: []string{"cluster", "namespace"}, Labels: map[string]string{"team": "shop"},
		Severities: map[string]string{"StentRetryStorm": "info"}, Thresholds: Thresholds{QueueDepth: 5000, FailureRatio: 0.01},
		Windows: Windows{Ratio: 10 * time.Minute},
	},
	"a minute as a second": {Keep: []string{}, Scale: 1.0 / 60},
}

// lint says what is wrong with rules, measured by the catalogue.
func lint(groups []Group, o Options) (faults []string) {
	l := promlint.Linter{Labels: append([]string{"job", "instance"}, o.Keep...), Recorded: map[string][]string{}}
	fault := func(name, format string, args ...any) {
		faults = append(faults, name+": "+fmt.Sprintf(format, args...))
	}
	level := regexp.MustCompile(`^[a-z_]+:stent_[a-z_]+:[a-z0-9_]+$`)
	for _, g := range groups {
		for _, r := range g.Recordings {
			if !level.MatchString(r.Name) {
				fault(r.Name, "want a name level:metric:operation")
			}
			if l.Recorded[r.Name] != nil {
				fault(r.Name, "recorded twice")
			}
			l.Recorded[r.Name] = append([]string{}, r.Labels...)
		}
	}
	for _, g := range groups {
		for _, r := range g.Recordings {
			for _, f := range l.Check(r.Expr) {
				fault(r.Name, "%s", f)
			}
		}
		for _, a := range g.Alerts {
			for _, f := range l.Check(a.Expr) {
				fault(a.Name, "%s", f)
			}
			if a.For <= 0 || a.Severity == "" || a.Runbook == "" || a.Dashboard == "" {
				fault(a.Name, "for %v, severity %q, runbook %q, dashboard %q", a.For, a.Severity, a.Runbook, a.Dashboard)
			}
			if a.Summary.plain() == "" || !strings.HasSuffix(a.Description.plain(), ".") {
				fault(a.Name, "summary %q, description %q", a.Summary.plain(), a.Description.plain())
			}
		}
	}
	return faults
}

func TestRulesAreSound(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			for _, fault := range append(lint(Rules(o), o), lint(Standalone(o), o)...) {
				t.Error(fault)
			}
			for form, groups := range map[string][]Group{"rules": Rules(o), "standalone": Standalone(o)} {
				total := 0
				for _, g := range groups {
					total += len(g.Alerts)
				}
				if total < len(Names()) {
					t.Errorf("%s: %d alerts, want %d and more", form, total, len(Names()))
				}
			}
		})
	}
}

// A template that names a label which the query does not keep prints nothing at three in the morning.
func TestTextsNameLabelsThatAreThere(t *testing.T) {
	recorded := map[string][]string{}
	for _, g := range Rules(Options{}) {
		for _, r := range g.Recordings {
			recorded[r.Name] = r.Labels
		}
		for _, a := range g.Alerts {
			labels := promlint.Labels(a.Expr)
			for name, of := range recorded {
				if strings.Contains(a.Expr, name) {
					labels = append(labels, of...)
				}
			}
			if a.Name == "StentWorkerWedged" {
				labels = append(labels, "job", "instance", "namespace") // every process's own series
			}
			if a.Name == "StentMetricsAbsent" {
				continue // there is no series
			}
			for _, m := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(a.Summary.prometheus()+a.Description.prometheus()+a.Dashboard, -1) {
				if !slices.Contains(labels, m[1]) {
					t.Errorf("%s names the label %s; its query keeps %v", a.Name, m[1], labels)
				}
			}
		}
	}
}

// In compressed time every duration shrinks, and no count and no share does.
func TestScale(t *testing.T) {
	o := Options{Keep: []string{}, Scale: 1.0 / 60}
	text := string(Prometheus(o))
	for _, want := range []string{
		"queue:stent_queue_depth:max > 100", "queue:stent_queue_oldest_age_seconds:max > 5", "deriv(stent_queue_depth[15s])",
		`for: "10s"`, "ratio_rate5m > 0.05", "(5 * queue_step:stent_tasks_finished:rate5m) >= 20", `interval: "3s"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "[5m]") || strings.Contains(text, "[1d]") {
		t.Error("a window is not scaled")
	}
}

func TestOptionsAreHeeded(t *testing.T) {
	o := Options{
		Selector: `job="orders"`, Labels: map[string]string{"team": "shop"}, Disabled: []string{"StentRetryStorm"},
		Severities: map[string]string{"StentQueueGrowing": "page"}, For: map[string]time.Duration{"StentQueueGrowing": 42 * time.Minute},
		Thresholds: Thresholds{QueueDepth: 7000}, RunbookURL: "https://wiki.example/", GrafanaURL: "https://grafana.example/",
	}
	text := string(Prometheus(o))
	for _, want := range []string{
		`stent_queue_depth{job="orders"}`, "team: shop", "severity: page", `for: "42m"`, "> 7000", "https://wiki.example/StentQueueGrowing.md",
		"https://grafana.example/d/stent-queue",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "StentRetryStorm") {
		t.Error("a disabled alert is there")
	}
}

// Each condition that Grafana manages stands for itself: it has no recording rules, and titles and uids are unique.
func TestGrafanaManaged(t *testing.T) {
	text := string(Grafana(Options{}, ""))
	if found := regexp.MustCompile(`[a-z_]+:stent_\w+:\w+`).FindString(text); found != "" {
		t.Errorf("it asks for a recording rule: %s", found)
	}
	if strings.Contains(text, "$value |") {
		t.Error("a template of Prometheus's")
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\s+(?:- )?(?:uid|title): (.*)$`).FindAllStringSubmatch(text, -1) {
		if seen[m[1]] {
			t.Errorf("%s twice", m[1])
		}
		seen[m[1]] = true
	}
	if len(seen) < 2*len(Names()) {
		t.Errorf("%d uids and titles", len(seen))
	}
}
