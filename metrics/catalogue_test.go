package metrics_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stentgo/stent/metrics"
)

// The names in the catalogue are what dashboards, alert rules and people's own queries stand on.
func TestNames(t *testing.T) {
	prometheus := regexp.MustCompile(`^stent_[a-z]+(_[a-z]+)*$`)
	for _, m := range metrics.All() {
		if !prometheus.MatchString(m.Name) {
			t.Errorf("%s is no name of ours", m.Name)
		}
		if got, want := strings.HasSuffix(m.Name, "_total"), m.Kind == metrics.Counter; got != want {
			t.Errorf("%s is a %s; _total stands at the end of counters alone", m.Name, m.Kind)
		}
		if want := exported(m); m.Name != want {
			t.Errorf("%s: an OpenTelemetry exporter makes %s of %s", m.Name, want, m.OTel)
		}
		if m.Help == "" || strings.HasSuffix(m.Help, ".") {
			t.Errorf("%s: help %q: want a sentence without its full stop", m.Name, m.Help)
		}
	}
}

// exported is the Prometheus name that exporters of OpenTelemetry make: dots become underscores, the unit is appended
// unless it is an annotation, and counters get _total.
func exported(m metrics.Metric) string {
	name := strings.ReplaceAll(m.OTel, ".", "_")
	switch m.Unit {
	case metrics.Seconds:
		name += "_seconds"
	case metrics.Bytes:
		name += "_bytes"
	}
	if m.Kind == metrics.Counter {
		name += "_total"
	}
	return name
}

// OpenMetrics takes _total away from a counter's name to name its family, so a gauge of the rest would be a second
// family of the same name. The same is true of instruments in OpenTelemetry.
func TestFamiliesAreUnique(t *testing.T) {
	families, instruments := map[string]string{}, map[string]string{}
	for _, m := range metrics.All() {
		family := strings.TrimSuffix(m.Name, "_total")
		if other, ok := families[family]; ok {
			t.Errorf("%s and %s are one family in OpenMetrics", m.Name, other)
		}
		if other, ok := instruments[m.OTel]; ok {
			t.Errorf("%s and %s are one instrument in OpenTelemetry", m.Name, other)
		}
		families[family], instruments[m.OTel] = m.Name, m.Name
	}
}

func TestBuckets(t *testing.T) {
	for _, m := range metrics.All() {
		if (len(m.Buckets) > 0) != (m.Kind == metrics.Histogram) {
			t.Errorf("%s is a %s with %d buckets", m.Name, m.Kind, len(m.Buckets))
		}
		if !slices.IsSorted(m.Buckets) || len(slices.Compact(slices.Clone(m.Buckets))) != len(m.Buckets) {
			t.Errorf("%s: its buckets do not ascend: %v", m.Name, m.Buckets)
		}
	}
	for _, le := range []float64{0.005, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 3600} {
		if !slices.Contains(metrics.TaskDuration.Buckets, le) {
			t.Errorf("%s has no bucket of %g s", metrics.TaskDuration.Name, le)
		}
	}
}

// Each path tells apart what the metric's labels tell apart, as far as StatsD's old names do: kind is in none.
func TestPaths(t *testing.T) {
	for _, m := range metrics.All() {
		if len(m.StatsD) == 0 {
			t.Errorf("%s has no path in StatsD", m.Name)
		}
		for _, p := range m.StatsD {
			for _, label := range m.Labels {
				if label != metrics.LabelKind && p.Label != label && !strings.Contains(p.Template, "{"+label+"}") && label != metrics.LabelResult {
					t.Errorf("%s: the path %s does not tell %s", m.Name, p.Template, label)
				}
			}
			for _, placeholder := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(p.Template, -1) {
				if placeholder[1] != "host" && !m.HasLabel(placeholder[1]) {
					t.Errorf("%s: the path %s has a place for %s, which is no label of it", m.Name, p.Template, placeholder[1])
				}
			}
		}
	}
}

// What programs that came before Stent for Go already draw and alert on.
func TestPromisedNames(t *testing.T) {
	for name, labels := range map[string]string{
		"stent_tasks_claimed_total":   "queue step kind",
		"stent_tasks_completed_total": "queue step kind",
		"stent_task_duration_seconds": "queue step",
		"stent_tasks_failed_total":    "queue step retrying",
		"stent_dead_letters_total":    "queue step",
	} {
		m, ok := metrics.Find(name)
		if !ok {
			t.Errorf("%s is missing", name)
		} else if got := strings.Join(m.Labels, " "); got != labels {
			t.Errorf("%s has the labels %q, want %q", name, got, labels)
		}
	}
	paths := map[string]bool{}
	for _, m := range metrics.All() {
		for _, p := range m.StatsD {
			paths[p.Template] = true
		}
	}
	for _, path := range []string{
		"tasks.claimed.{queue}.{step}", "tasks.completed.{queue}.{step}", "tasks.duration.{queue}.{step}",
		"tasks.retrying.{queue}.{step}", "tasks.failed.{queue}.{step}", "dlq.{queue}.{step}", "leases.renewed", "leases.failed",
	} {
		if !paths[path] {
			t.Errorf("the path %s is missing", path)
		}
	}
}

func TestFind(t *testing.T) {
	for name, want := range map[string]string{
		"stent_task_duration_seconds_bucket": "stent_task_duration_seconds",
		"stent_task_duration_seconds_count":  "stent_task_duration_seconds",
		"stent_queue_depth":                  "stent_queue_depth",
		"stent_queue_depth_bucket":           "",
		"stent_nonsense_total":               "",
	} {
		if m, ok := metrics.Find(name); m.Name != want || ok != (want != "") {
			t.Errorf("Find(%q) = %q, %t", name, m.Name, ok)
		}
	}
}

// A metric that is declared and not listed would be in no dashboard, no reference and no test.
func TestAllListsEveryMetric(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "catalogue.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			declared += len(spec.Names)
		}
		return true
	})
	if listed := len(metrics.All()); listed != declared {
		t.Errorf("the catalogue declares %d metrics, All lists %d", declared, listed)
	}
}
