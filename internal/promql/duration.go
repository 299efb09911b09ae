package promql

import (
	"fmt"
	"strings"
	"time"
)

// Duration writes a duration as Prometheus does: 1d, 2h30m, 500ms. Parts of a millisecond are rounded, but never to 0.
func Duration(d time.Duration) string {
	ms := max(d.Round(time.Millisecond).Milliseconds(), 1)
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, unit := range []struct {
		name string
		ms   int64
	}{{"d", 86_400_000}, {"h", 3_600_000}, {"m", 60_000}, {"s", 1000}, {"ms", 1}} {
		if n := ms / unit.ms; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.name)
			ms -= n * unit.ms
		}
	}
	return b.String()
}
