//go:build promtool

package alerts

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/internal/promtest"
)

// These tests need promtool and amtool: make test-alerts.

func TestPromtoolAcceptsTheRules(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			if out, err := promtool(t, t.TempDir(), Prometheus(o), "check", "rules", "--lint=all", "--lint-fatal", "stent.rules.yml"); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// What the operator and Grafana get is the same rules in another cover.
func TestPromtoolAcceptsTheOtherForms(t *testing.T) {
	operator := string(Operator(Options{}))
	_, spec, ok := strings.Cut(operator, "\nspec:\n")
	if !ok {
		t.Fatal("no spec")
	}
	spec = regexp.MustCompile(`(?m)^  `).ReplaceAllString(spec, "")
	if out, err := promtool(t, t.TempDir(), []byte(spec), "check", "rules", "--lint=all", "--lint-fatal", "stent.rules.yml"); err != nil {
		t.Errorf("PrometheusRule: %v\n%s", err, out)
	}
	for name, o := range variants {
		if out, err := promtool(t, t.TempDir(), asRules(Standalone(o)), "check", "rules", "stent.rules.yml"); err != nil {
			t.Errorf("Grafana, %s: %v\n%s", name, err, out)
		}
	}
}

func TestEveryAlertHasItsStories(t *testing.T) {
	for _, name := range Names() {
		var fires, ends, stays bool
		for _, s := range stories {
			if s.alert != name {
				continue
			}
			story := false
			for _, at := range slices.Sorted(maps.Keys(s.at)) {
				if len(s.at[at]) > 0 {
					story = true
				} else if story {
					ends = true
				}
			}
			fires, stays = fires || story, stays || !story
		}
		if name == "StentClockSkewed" {
			stays = true // its near miss is the other process of its story
		}
		if !fires || !ends || !stays {
			t.Errorf("%s: fires %t, recovers %t, near miss %t", name, fires, ends, stays)
		}
	}
}

// Each alert fires when it should, with the labels and the text that a person reads, does not at a near miss, and ends.
func TestAlertsFire(t *testing.T) {
	if out, err := play(t, Prometheus(Options{}), Rules(Options{})); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Without recording rules, as Grafana evaluates them, the same alerts fire.
func TestStandaloneAlertsFire(t *testing.T) {
	if out, err := play(t, asRules(Standalone(Options{})), Rules(Options{})); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func asRules(groups []Group) []byte {
	var list []mapping
	for _, g := range groups {
		list = append(list, mapping{{"name", g.Name}, {"rules", g.rules()}})
	}
	return mapping{{"groups", list}}.yaml("")
}

// The stories are worth something if they tell broken rules from sound ones.
func TestStoriesFindBrokenRules(t *testing.T) {
	for name, m := range map[string]struct{ alert, old, mutated string }{
		"a metric renamed":               {"StentQueueGrowing", "max by (namespace, queue) (stent_queue_depth)", "max by (namespace, queue) (stent_queue_size)"},
		"max made sum":                   {"StentQueueGrowing", "max by (namespace, queue) (stent_queue_depth)", "sum by (namespace, queue) (stent_queue_depth)"},
		"a threshold inverted":           {"StentQueueGrowing", "queue:stent_queue_depth:max > 100", "queue:stent_queue_depth:max < 100"},
		"dead letters inverted":          {"StentDeadLettersPending", "queue:stent_queue_dead_letters:max > 10", "queue:stent_queue_dead_letters:max <= 10"},
		"at least, not more than":        {"StentDeadLettersPending", "queue:stent_queue_dead_letters:max > 10", "queue:stent_queue_dead_letters:max >= 10"},
		"retries count as failures":      {"StentFailureRateHigh", `stent_tasks_failed_total{retrying=\"false\"}[5m])) or`, `stent_tasks_failed_total[5m])) or`},
		"a ratio without its zero":       {"StentFailureRateHigh", "(stent_tasks_completed_total[5m]) or rate(stent_tasks_failed_total{retrying=\\\"false\\\"}[5m]))", "(stent_tasks_completed_total[5m]))"},
		"no floor of traffic":            {"StentFailureRateHigh", "(300 * queue_step:stent_tasks_finished:rate5m) >= 20", "(300 * queue_step:stent_tasks_finished:rate5m) >= 0"},
		"the first event is missed":      {"StentDeadLettersGrowing", "stent_dead_letters_total unless stent_dead_letters_total offset 15m", "stent_dead_letters_total unless stent_dead_letters_total"},
		"a gap counts as growth":         {"StentDeadLettersGrowing", "and on (job, instance) stent_build_info offset 15m", "and on (job, instance) stent_build_info"},
		"the paused are not left out":    {"StentQueueGrowing", "queue:stent_queue_paused:max == 1", "queue:stent_queue_paused:max == 2"},
		"rising is not asked":            {"StentQueueGrowing", "deriv(stent_queue_depth[15m])) > 0", "deriv(stent_queue_depth[15m])) >= 0"},
		"a label lost":                   {"StentFailureRateHigh", "sum by (namespace, queue, step) (rate(stent_tasks_completed_total[5m])", "sum by (namespace, step) (rate(stent_tasks_completed_total[5m])"},
		"skew of one direction":          {"StentClockSkewed", "(abs(stent_database_clock_skew_seconds))", "(stent_database_clock_skew_seconds)"},
		"min of the samples":             {"StentSampleStale", "max by (namespace) (stent_sampler_up)", "min by (namespace) (stent_sampler_up)"},
		"for dropped":                    {"StentQueueGrowing", `for: "10m"`, `for: "0s"`},
		"a severity changed":             {"StentQueueStalled", "severity: critical", "severity: warning"},
		"the short window is not asked":  {"StentSLOBurning", "and\n          queue_step:stent_tasks_failed:ratio_rate5m > (14.4", "and\n          queue_step:stent_tasks_failed:ratio_rate1h > (14.4"},
		"a burn rate of another":         {"StentSLOBurning", "(14.4 * (1 -", "(6 * (1 -"},
		"a worker that is not full":      {"StentWorkerWedged", "stent_worker_slots_used >= stent_worker_slots", "stent_worker_slots_used <= stent_worker_slots"},
		"cancelled counts as failed":     {"StentExecutionsFailing", `state=~\"failed|timed_out\"`, `state!=\"completed\"`},
		"a value lost from the sentence": {"StentFailureRateHigh", "{{ $value | humanizePercentage }} of the tasks", "Some of the tasks"},
	} {
		t.Run(name, func(t *testing.T) {
			text := string(Prometheus(Options{}))
			mutated := strings.ReplaceAll(text, m.old, m.mutated)
			if text == mutated {
				t.Fatalf("the rules have no %s", m.old)
			}
			if out, err := play(t, []byte(mutated), Rules(Options{}), m.alert); err == nil || !strings.Contains(out, "FAILED") {
				t.Errorf("nothing noticed it: %v\n%s", err, out)
			}
		})
	}
}

// play lets promtool tell the stories of some alerts, or all, with the rules. What the sound rules say is what is expected.
func play(t *testing.T, rules []byte, sound []Group, only ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stories.yml"), script(t, sound, only), 0o644); err != nil {
		t.Fatal(err)
	}
	return promtool(t, dir, rules, "test", "rules", "stories.yml")
}

func promtool(t *testing.T, dir string, rules []byte, args ...string) (string, error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "stent.rules.yml"), rules, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), promtest.Find(t, "promtool"), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// script is all stories as promtool reads them.
func script(t *testing.T, groups []Group, only []string) []byte {
	var tests []mapping
	for _, s := range stories {
		if len(only) > 0 && !slices.Contains(only, s.alert) {
			continue
		}
		var series, checks []mapping
		for _, name := range slices.Sorted(maps.Keys(s.series)) {
			series = append(series, mapping{{"series", name}, {"values", s.series[name]}})
		}
		for _, at := range slices.Sorted(maps.Keys(s.at)) {
			var expected []mapping
			for _, f := range s.at[at] {
				expected = append(expected, expect(t, groups, s.alert, f))
			}
			checks = append(checks, mapping{{"eval_time", promql.Duration(at)}, {"alertname", s.alert}, {"exp_alerts", expected}})
		}
		tests = append(tests, mapping{
			{"name", s.alert + ": " + s.name}, {"interval", "1m"}, {"input_series", series}, {"alert_rule_test", checks},
		})
	}
	return mapping{{"rule_files", []string{"stent.rules.yml"}}, {"evaluation_interval", "1m"}, {"tests", tests}}.yaml("")
}

// expect is an alert with what its templates say of the labels and the value.
func expect(t *testing.T, groups []Group, name string, f firing) mapping {
	labels := maps.Clone(f.labels)
	var alert *Alert
	for _, g := range groups {
		for _, a := range g.Alerts {
			if a.Name == name && (a.Labels["long"] == labels["long"]) {
				alert = &a
			}
		}
	}
	if alert == nil {
		t.Fatalf("no alert %s %v", name, labels)
	}
	fill := func(text string) string {
		text = regexp.MustCompile(`{{ \$labels\.(\w+)( \| urlquery)? }}`).ReplaceAllStringFunc(text, func(s string) string {
			return labels[regexp.MustCompile(`labels\.(\w+)`).FindStringSubmatch(s)[1]]
		})
		return regexp.MustCompile(`{{ \$value \| [^}]+ }}`).ReplaceAllString(text, f.value)
	}
	annotations := alert.annotations(text.prometheus)
	for i, a := range annotations {
		annotations[i].value = fill(a.value.(string))
	}
	labels["severity"] = alert.Severity
	return mapping{{"exp_labels", sorted(labels)}, {"exp_annotations", annotations}}
}

// with adds matchers to those that a series is named with.
func with(series, matchers string) string {
	name, rest, _ := strings.Cut(series, "{")
	return fmt.Sprintf("%s{%s", name, strings.TrimSuffix(matchers+","+rest, ",}")+closing(rest))
}

func closing(rest string) string {
	if rest == "}" {
		return "}"
	}
	return ""
}
