package alerts

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// mapping is a YAML mapping whose keys keep their order.
type mapping []entry

type entry struct {
	key   string
	value any // string, int, bool, mapping, []mapping, []string, numbers
}

type numbers []int

// sorted is a mapping in the order of its keys.
func sorted(m map[string]string) mapping {
	var list mapping
	for key, value := range m {
		list = append(list, entry{key, value})
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return list
}

// yaml writes a document, with a comment before it.
func (m mapping) yaml(comment string) []byte {
	var b strings.Builder
	for line := range strings.Lines(comment) {
		b.WriteString("# " + line)
	}
	m.write(&b, "")
	return []byte(b.String())
}

func (m mapping) write(b *strings.Builder, indent string) {
	for i, e := range m {
		if i > 0 || indent == "" {
			b.WriteString(indent)
		}
		b.WriteString(e.key + ":")
		switch v := e.value.(type) {
		case mapping:
			b.WriteString("\n" + indent + "  ")
			v.write(b, indent+"  ")
		case []mapping:
			if len(v) == 0 {
				b.WriteString(" []\n")
				continue
			}
			b.WriteString("\n")
			for _, item := range v {
				b.WriteString(indent + "  - ")
				item.write(b, indent+"    ")
			}
		case []string:
			quoted := make([]string, len(v))
			for i, s := range v {
				quoted[i] = scalar(s)
			}
			b.WriteString(" [" + strings.Join(quoted, ", ") + "]\n")
		case string:
			if strings.Contains(v, "\n") {
				b.WriteString(" |-\n" + indent + "  " + strings.ReplaceAll(v, "\n", "\n"+indent+"  ") + "\n")
				continue
			}
			b.WriteString(" " + scalar(v) + "\n")
		case numbers:
			b.WriteString(" " + strings.ReplaceAll(fmt.Sprint(v), " ", ", ") + "\n")
		case int, bool:
			fmt.Fprintf(b, " %v\n", v)
		default:
			panic(fmt.Sprintf("alerts: yaml of %T", v))
		}
	}
}

// plain are strings that YAML 1.1 and 1.2 take for nothing but strings without quotes.
var plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./-]*$`)

func scalar(s string) string {
	if plain.MatchString(s) && !slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	// A JSON string is a YAML string in double quotes.
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(fmt.Sprintf("alerts: yaml of %q: %v", s, err))
	}
	return strings.TrimSpace(b.String())
}
