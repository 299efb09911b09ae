//go:build promtool

package stent_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/promtest"
	"github.com/stentgo/stent/metrics"
)

// outageErrors are as many as the alert needs, which has to hold for minutes.
const outageErrors = 18

// alerts has promtool evaluate the rules on what was scraped: the alert fires, with the fault, and with no other. Each scrape
// that shows three errors more stands for a minute, which is far fewer than there are in a minute of an outage.
func (p *page) alerts(w *world, fault backend.Fault) {
	w.Helper()
	scrapes := []map[backend.Fault]float64{p.scrapes[0]}
	for i, scrape := range p.scrapes {
		if last := scrapes[len(scrapes)-1]; scrape[fault]-last[fault] >= 3 || scrape[fault] == p.scrapes[len(p.scrapes)-1][fault] && i > 0 {
			scrapes = append(scrapes, scrape)
		}
	}
	var series, checks strings.Builder
	for _, f := range backend.Faults() {
		values := make([]string, len(scrapes))
		for i, scrape := range scrapes {
			values[i] = fmt.Sprint(scrape[f])
		}
		fmt.Fprintf(&series, "      - {series: '%s{namespace=\"shop\",operation=\"commit\",reason=\"%s\"}', values: '%s'}\n",
			metrics.BackendErrors.Name, f, strings.Join(values, " "))
	}
	fmt.Fprintf(&checks, `      - expr: 'max by (reason) (max_over_time(ALERTS{alertname="%s",alertstate="firing"}[%dm]))'
        eval_time: %[2]dm
        exp_samples: [{labels: '{reason="%s"}', value: 1}]
`, outageAlert, len(scrapes), fault)
	story := "rule_files: [stent.rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n" + series.String() +
		"    promql_expr_test:\n" + checks.String()
	dir := w.TempDir()
	for name, text := range map[string][]byte{"stent.rules.yml": alerts.Prometheus(alerts.Options{}), "story.yml": []byte(story)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			w.Fatal(err)
		}
	}
	cmd := exec.CommandContext(w.ctx(), promtest.Find(w.T, "promtool"), "test", "rules", "story.yml")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Errorf("%v\n%s\n%s", err, out, story)
	}
}
