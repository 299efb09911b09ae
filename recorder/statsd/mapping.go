package statsd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stentgo/stent/metrics"
)

// Mapping is a configuration for statsd_exporter that makes the catalogue's Prometheus metrics of the paths under the
// prefix "stent". The label kind is not in them, since the paths do not tell it. It is the file mapping.yml.
func Mapping() string {
	type entry struct {
		metric   metrics.Metric
		template string
		fixed    map[string]string
	}
	var all []entry
	for _, m := range metrics.All() {
		for _, p := range m.StatsD {
			fixed := map[string]string{}
			switch {
			case p.Label != "":
				fixed[p.Label] = p.Value
			case len(m.StatsD) > 1: // which of the other values it was is not in the path
				fixed[m.Labels[0]] = "error"
			}
			all = append(all, entry{m, p.Template, fixed})
		}
	}
	// The first that matches counts, so stent.claims.duration has to come before stent.claims.*.
	slices.SortStableFunc(all, func(a, b entry) int { return strings.Count(a.template, "{") - strings.Count(b.template, "{") })

	var b strings.Builder
	b.WriteString("# For statsd_exporter --statsd.mapping-config. Generated from the catalogue: go test ./recorder/statsd -update\nmappings:\n")
	for _, e := range all {
		writeMapping(&b, e.metric, e.template, e.fixed)
	}
	b.WriteString("- match: \"stent.*\"\n  name: \"dropped\"\n  action: drop\n")
	return b.String()
}

func writeMapping(b *strings.Builder, m metrics.Metric, template string, fixed map[string]string) {
	levels := strings.Split(template, ".")
	labels := [][2]string{}
	for i, level := range levels {
		if name, ok := strings.CutPrefix(level, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			levels[i] = "*"
			if name == "host" {
				name = "instance_host"
			}
			labels = append(labels, [2]string{name, "$" + strconv.Itoa(len(labels)+1)})
		}
	}
	for _, label := range m.Labels {
		if value, ok := fixed[label]; ok {
			labels = append(labels, [2]string{label, value})
		}
	}
	fmt.Fprintf(b, "- match: %q\n  name: %q\n  help: %q\n", "stent."+strings.Join(levels, "."), m.Name, m.Help)
	if m.Kind == metrics.Histogram {
		b.WriteString("  observer_type: histogram\n  histogram_options:\n    buckets: [")
		for i, bucket := range m.Buckets {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.FormatFloat(bucket, 'g', -1, 64))
		}
		b.WriteString("]\n")
		if m.Unit != metrics.Seconds { // sent as a timing in milliseconds, which becomes seconds
			b.WriteString("  scale: 1000\n")
		}
	}
	if len(labels) > 0 {
		b.WriteString("  labels:\n")
	}
	for _, l := range labels {
		fmt.Fprintf(b, "    %s: %q\n", l[0], l[1])
	}
}
