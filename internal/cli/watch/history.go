package watch

import (
	"strings"
	"time"
)

// history keeps what the sparklines draw: a value for each reading, the newest last.
type history struct {
	last       time.Time // of the reading before, by the database's clock
	ended      int64
	failed     int64
	throughput []float64 // executions that ended, a second
	latency    []float64 // seconds: p95 of the recent executions that ended
	errorRate  []float64 // share of the ended that failed, 0 to 1; of a reading in which none ended, as before
	depth      []float64
}

// kept is how many readings are remembered: as many as the widest screen has columns.
const kept = 400

func (h *history) add(r *reading) {
	ended, failed := r.ended()
	now := r.stats.Now
	if passed := now.Sub(h.last).Seconds(); !h.last.IsZero() && passed > 0 {
		// Retention deletes finished executions, so a count may fall.
		h.throughput = appended(h.throughput, max(float64(ended-h.ended), 0)/passed)
		rate := latest(h.errorRate)
		if n := ended - h.ended; n > 0 {
			rate = min(max(float64(failed-h.failed), 0)/float64(n), 1)
		}
		h.errorRate = appended(h.errorRate, rate)
	}
	h.latency = appended(h.latency, quantile(r.durations(), 0.95).Seconds())
	h.depth = appended(h.depth, float64(r.depth()))
	h.last, h.ended, h.failed = now, ended, failed
}

func appended(values []float64, v float64) []float64 {
	values = append(values, v)
	if len(values) > kept {
		values = values[len(values)-kept:]
	}
	return values
}

func latest(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return values[len(values)-1]
}

var bars = []rune("▁▂▃▄▅▆▇█")

// sparkline draws the newest values, as many as fit, each as a bar of an eighth to a whole of the highest. Nothing is
// drawn where there is no value yet; the least bar is a zero.
func sparkline(values []float64, width int) string {
	if width <= 0 {
		return ""
	}
	if len(values) > width {
		values = values[len(values)-width:]
	}
	highest := 0.0
	for _, v := range values {
		highest = max(highest, v)
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width-len(values)))
	for _, v := range values {
		i := 0
		if highest > 0 && v > 0 {
			i = 1 + int(v/highest*float64(len(bars)-2)+0.5)
		}
		b.WriteRune(bars[min(i, len(bars)-1)])
	}
	return b.String()
}
