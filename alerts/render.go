package alerts

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Render fills in an alert's summary and description, as Prometheus does, for a program that evaluates its condition
// itself.
func (a Alert) Render(labels map[string]string, value float64) (summary, description string) {
	return a.Summary.fill(labels, value), a.Description.fill(labels, value)
}

func (t text) fill(labels map[string]string, value float64) string {
	var s strings.Builder
	for _, part := range t {
		switch {
		case part.label != "":
			s.WriteString(labels[part.label])
		case part == asShare:
			s.WriteString(significant(100*value) + "%")
		case part == asDuration:
			s.WriteString(time.Duration(value * float64(time.Second)).Round(time.Second).String())
		case part.value != "":
			s.WriteString(strconv.FormatFloat(value, 'f', 0, 64))
		default:
			s.WriteString(part.literal)
		}
	}
	return s.String()
}

// significant writes a number with four digits that count, and whole numbers whole.
func significant(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}
