package metrics_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stentgo/stent/metrics"
)

var update = flag.Bool("update", false, "write docs/reference/metrics.md anew")

// The reference of metrics is generated from the catalogue: `go test ./metrics -update`.
func TestReference(t *testing.T) {
	const file = "../docs/reference/metrics.md"
	want := reference()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the catalogue says: go test ./metrics -update (%v)", file, err)
	}
}

var sections = []struct {
	source metrics.Source
	title  string
	text   string
}{
	{metrics.Event, "What happened", "Counted by the process that did it, after the commit that made it true. Sum over processes."},
	{metrics.Process, "How a process stands", "Told by each process of itself, whenever it is asked."},
	{metrics.Sampled, "What the database holds", "Read from the database every 15 s by each process that serves, and by `stent exporter`. All of them " +
		"tell the same, so take the maximum over processes (`max by (queue) (stent_queue_depth)`), never the sum. While the database " +
		"cannot be read they are withheld, and `stent_sampler_up` is 0."},
}

func reference() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the catalogue: go test ./metrics -update -->\n\n# Metrics\n\n" +
		"What each metric is called in Prometheus, in OpenTelemetry and, below the prefix, in StatsD. [The guide](../guides/metrics.md) " +
		"tells how to get at them.\n\n" +
		fmt.Sprintf("Of the labels %s at most %d values are kept apart; the rest are counted as `%s`, and `%s` tells how many these are. ",
			"`"+strings.Join(metrics.Budgeted, "`, `")+"`", metrics.DefaultBudget, metrics.Other, metrics.LabelValuesFolded.Name) +
		"No id and no reason of a failure is ever a label.\n")
	for _, section := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", section.title, section.text)
		for _, m := range metrics.All() {
			if m.Source == section.source {
				describe(&b, m)
			}
		}
	}
	return b.String()
}

func describe(b *strings.Builder, m metrics.Metric) {
	fmt.Fprintf(b, "\n### %s\n\n%s.\n\n", m.Name, m.Help)
	unit := ""
	if m.Unit != metrics.NoUnit {
		unit = fmt.Sprintf(", in `%s`", m.Unit)
	}
	fmt.Fprintf(b, "- a %s%s", m.Kind, unit)
	if len(m.Labels) > 0 {
		fmt.Fprintf(b, ", by `%s`", strings.Join(m.Labels, "`, `"))
	}
	fmt.Fprintf(b, "\n- OpenTelemetry: `%s`\n- StatsD: ", m.OTel)
	for i, p := range m.StatsD {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "`%s`", p.Template)
	}
	b.WriteString("\n")
	if m.Kind == metrics.Histogram {
		b.WriteString("- buckets: ")
		for i, le := range m.Buckets {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(b, "%g", le)
		}
		b.WriteString("\n")
	}
}
