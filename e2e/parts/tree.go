package parts

import (
	"slices"
	"strings"
)

// Tree draws a trace, a line for each span, below its parent. Turns of orchestrators, which come between, are counted
// and not drawn. A span whose parent Jaeger does not have stands on top.
func Tree(spans []JaegerSpan) (tree string, turns int) {
	slices.SortFunc(spans, func(a, b JaegerSpan) int { return int(a.Start - b.Start) })
	known := map[string]*JaegerSpan{}
	for i := range spans {
		known[spans[i].ID] = &spans[i]
	}
	var b strings.Builder
	var below func(parent, indent string)
	below = func(parent, indent string) {
		for i := range spans {
			s := &spans[i]
			if above := s.Parent(); above != parent && (parent != "" || known[above] != nil) {
				continue
			}
			if strings.HasPrefix(s.Name, "stent.turn ") {
				turns++
				continue
			}
			b.WriteString(indent + s.Name + " " + s.Tag("span.kind"))
			if s.Tag("error") == "true" {
				b.WriteString(" error " + s.Tag("otel.status_description"))
			}
			for _, r := range s.References {
				if to := known[r.ID]; r.Type == "FOLLOWS_FROM" && to != nil {
					b.WriteString(" linked to attempt " + to.Tag("stent.attempt"))
				}
			}
			b.WriteString("\n")
			below(s.ID, indent+"  ")
		}
	}
	below("", "")
	return b.String(), turns
}
