package alerts

import (
	"fmt"
	"strings"

	"github.com/stentgo/stent/internal/promql"
)

// Reference is the page of docs that lists all rules.
func Reference(o Options) []byte {
	var b strings.Builder
	b.WriteString("# Alert rules\n\n<!-- " + strings.TrimSpace(generated) + " -->\n\nMade from the same values as the files in " +
		"[`alerts/`](../../alerts). How to load and fit them: [dashboards and alerts](../guides/dashboards-and-alerts.md).\n")
	b.WriteString("\n| alert | severity | holds for | what it says |\n|---|---|---|---|\n")
	groups := Rules(o)
	for _, g := range groups {
		for _, a := range g.Alerts {
			fmt.Fprintf(&b, "| [%s](../../alerts/runbooks/%s.md) | %s | %s | %s |\n", a.title(), a.Name, a.Severity, promql.Duration(a.For), a.Summary.plain())
		}
	}
	b.WriteString("\n## Their queries\n")
	for _, g := range groups {
		for _, a := range g.Alerts {
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n```promql\n%s\n```\n", a.title(), a.Description.plain(), a.Expr)
		}
	}
	b.WriteString("\n## Recording rules\n\n| series | labels | query |\n|---|---|---|\n")
	for _, g := range groups {
		for _, r := range g.Recordings {
			fmt.Fprintf(&b, "| `%s` | %s | `%s` |\n", r.Name, strings.Join(r.Labels, ", "), strings.ReplaceAll(r.Expr, "|", `\|`))
		}
	}
	return []byte(b.String())
}

// plain is the template for readers.
func (t text) plain() string {
	var s strings.Builder
	for _, part := range t {
		switch {
		case part.label != "":
			s.WriteString("*" + part.label + "*")
		case part.value != "":
			s.WriteString("*value*")
		default:
			s.WriteString(part.literal)
		}
	}
	return s.String()
}
