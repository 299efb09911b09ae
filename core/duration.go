package core

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads what people write into configuration: "90s", "1.5h", "2d", "1w", combinations as
// [time.ParseDuration] reads them, and a bare number as seconds. It is never negative.
func ParseDuration(s string) (time.Duration, error) {
	text := strings.TrimSpace(s)
	d, err := parseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("duration %q: want a number and a unit, such as 90s, 1.5h or 2d", s)
	}
	if d < 0 {
		return 0, fmt.Errorf("duration %q: want 0 or more", s)
	}
	return d, nil
}

func parseDuration(s string) (time.Duration, error) {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return fromFloat(n, time.Second)
	}
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseFloat(number, 64)
			if err != nil {
				return 0, err
			}
			return fromFloat(n, unit)
		}
	}
	return time.ParseDuration(s)
}

func fromFloat(n float64, unit time.Duration) (time.Duration, error) {
	const longest = float64(1 << 62)
	if f := n * float64(unit); f == f && f < longest && f > -longest {
		return time.Duration(f), nil
	}
	return 0, strconv.ErrRange
}
