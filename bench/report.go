package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is RESULTS.md.
func report(p plan, s *server, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Results\n\nWritten by `make bench`; do not edit. %s, %s, %d CPUs (%s), PostgreSQL %s (fsync and synchronous_commit on), %s.\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), cpuModel(), s.version, commit())
	fmt.Fprintf(&b, "%d rounds of %v each, engines in turns, every one in a process of its own on an empty database; medians. Client and\n"+
		"server share the CPUs. ", p.rounds, p.length)
	b.WriteString("Rates move with the machine and with what else it does; ratios within a row, commits, log and allocations hardly do.\n\n")

	b.WriteString("## Ratios\n\n`limit` is the least program that does the same durable steps with group commit. The target was set on another machine, and\n" +
		"the goal is the part of the limit that it was there.\n\n" +
		"| work | limit | Stent | target | part of the limit | goal | best peer | Stent to the best peer |\n|---|---|---|---|---|---|---|---|\n")
	var work, idle, lags []*result
	for i := range results {
		switch r := &results[i]; {
		case r.row.rate > 0:
			lags = append(lags, r)
		case strings.HasSuffix(r.row.name, "-idle"):
			idle = append(idle, r)
		default:
			work = append(work, r)
			ratios(&b, r)
		}
	}
	for _, r := range idle {
		idleRatio(&b, r)
	}
	for _, r := range lags {
		times(&b, r)
	}
	b.WriteString("\n## All engines\n\nFor each operation. Commits are transactions that wrote; log is PostgreSQL's write-ahead log, or for SQLite all that\n" +
		"the process wrote to files; fsyncs are those of the log, for SQLite the flushes of the disks, whoever caused them;\n" +
		"allocations and CPU are those of the process that starts and serves.\n")
	for _, r := range work {
		details(&b, r)
	}
	for _, r := range idle {
		idleDetails(&b, r)
	}
	b.WriteString("\n## Versions and settings\n\n| engine | version | settings |\n|---|---|---|\n")
	for _, e := range engines() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", e.name, version(e.module), e.settings)
	}
	return b.String()
}

func ratios(b *strings.Builder, r *result) {
	limit, ours := r.of("limit").rate(), r.of("stent").rate()
	best, rate := "none", 0.0
	for _, m := range r.engines {
		if m.engine.module != "" && m.rate() > rate {
			best, rate = m.engine.name, m.rate()
		}
	}
	goal := r.row.target / r.row.limit
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.row.title, rateOf(limit), rateOf(ours),
		verdict(rateOf(1000*r.row.target), ours, 1000*r.row.target), part(ours, limit), verdict(fmt.Sprintf("%.0f %%", 100*goal), ours, goal*limit),
		strings.TrimSpace(best+" "+rateOf(rate)), multiple(ours, rate))
}

func idleRatio(b *strings.Builder, r *result) {
	if !r.row.counted {
		return
	}
	ours := r.of("stent").per(func(c counters) float64 { return c.Queries })
	target := "at most 1, met"
	if ours > 1 {
		target = "at most 1, **missed**"
	}
	fmt.Fprintf(b, "| %s, round trips a second | 0 | %s | %s | - | - | %s | - |\n", r.row.title, number(ours), target, idlePeers(r))
}

// times are how long it took until what was started began.
func times(b *strings.Builder, r *result) {
	fmt.Fprintf(b, "\n### %s\n\nMilliseconds; the target of p50 is 2, of p99 8.\n\n| engine | p50 | p99 | most |\n|---|---|---|---|\n", r.row.title)
	for i := range r.engines {
		m := &r.engines[i]
		if len(m.all) == 0 {
			continue
		}
		at := func(q float64) float64 { return m.median(func(x measurement) float64 { return quantile(x.Millis, q) }) }
		fmt.Fprintf(b, "| %s | %.1f | %.1f | %.1f |\n", m.engine.name, at(0.5), at(0.99), at(1))
	}
}

func idlePeers(r *result) string {
	var all []string
	for _, m := range r.engines {
		if m.engine.module != "" && len(m.all) > 0 {
			all = append(all, m.engine.name+" "+number(m.per(func(c counters) float64 { return c.Queries })))
		}
	}
	return strings.Join(all, ", ")
}

func rateOf(v float64) string {
	switch {
	case v == 0:
		return "-"
	case v >= 10_000:
		return fmt.Sprintf("%.1fk/s", v/1000)
	case v >= 100:
		return fmt.Sprintf("%.0f/s", v)
	}
	return fmt.Sprintf("%.1f/s", v)
}

func part(ours, limit float64) string {
	if limit == 0 || ours == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*ours/limit)
}

// verdict tells whether Stent reached something.
func verdict(what string, ours, least float64) string {
	switch {
	case ours == 0 || least == 0:
		return what
	case ours >= least:
		return what + ", met"
	}
	return what + ", **missed**"
}

func multiple(ours, peer float64) string {
	if peer == 0 || ours == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fx", ours/peer)
}

func details(b *strings.Builder, r *result) {
	fmt.Fprintf(b, "\n### %s\n\n| engine | %ss/s (least to most) | commits | log bytes | fsyncs | allocations | CPU µs | server CPU µs | queries |\n|---|---|---|---|---|---|---|---|---|\n", r.row.title, r.row.unit)
	for i := range r.engines {
		m := &r.engines[i]
		switch {
		case m.failed != nil:
			fmt.Fprintf(b, "| %s | failed: %s ||||||||\n", m.engine.name, oneLine(m.failed.Error()))
		case !m.no:
			fmt.Fprintf(b, "| %s | %s | %s\n", m.engine.name, m.rates(), m.costs())
		}
	}
}

// idleDetails are those of rows that do nothing a second.
func idleDetails(b *strings.Builder, r *result) {
	fmt.Fprintf(b, "\n### %s, for each second\n\n| engine | commits | log bytes | fsyncs | allocations | CPU µs | server CPU µs | round trips |\n|---|---|---|---|---|---|---|---|\n", r.row.title)
	for i := range r.engines {
		if m := &r.engines[i]; len(m.all) > 0 {
			fmt.Fprintf(b, "| %s | %s\n", m.engine.name, m.costs())
		}
	}
}

func (m *measured) rates() string {
	least, most := m.all[0].rate(), m.all[0].rate()
	for _, x := range m.all {
		least, most = min(least, x.rate()), max(most, x.rate())
	}
	return fmt.Sprintf("%s (%s to %s)", rateOf(m.rate()), rateOf(least), rateOf(most))
}

// costs are the columns that are counted.
func (m *measured) costs() string {
	var b strings.Builder
	for _, of := range []func(counters) float64{
		func(c counters) float64 { return c.Commits }, func(c counters) float64 { return c.WAL },
		func(c counters) float64 { return c.Fsyncs }, func(c counters) float64 { return c.Mallocs },
		func(c counters) float64 { return 1e6 * c.CPU }, func(c counters) float64 { return 1e6 * c.ServerCPU },
		func(c counters) float64 { return c.Queries },
	} {
		fmt.Fprintf(&b, "%s | ", number(m.per(of)))
	}
	return strings.TrimSuffix(b.String(), " ")
}

// number is three digits of a number.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	case v <= 0:
		return "0"
	}
	return fmt.Sprintf("%.3f", v)
}

func oneLine(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "/")
	if len(text) > 160 {
		text = text[:160] + "…"
	}
	return text
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// commit names the state of the repository.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output() //nolint:noctx // it is short
	if err != nil {
		return "an unknown commit"
	}
	return "commit " + strings.TrimSpace(string(out))
}
