package core

import (
	"fmt"
	"math"
)

// SLO declares an objective for a workflow or an activity: the share of its tasks that are to complete without a final
// failure, above 0 and below 1, such as 0.999. It changes nothing of how they run; it is exported as
// stent_step_slo_ratio, and the alert rules tell when failures use up what it allows. Default: none, and no such alert.
func SLO(ratio float64) calleeOption {
	return func(s *settings) {
		if ratio <= 0 || ratio >= 1 || math.IsNaN(ratio) {
			s.fail(fmt.Errorf("SLO %v: want a ratio above 0 and below 1, such as 0.999", ratio))
		}
		s.slo = ratio
	}
}

// SLOs are the objectives that registered workflows and activities declare, by their names.
func (e *Engine) SLOs() map[string]float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	declared := map[string]float64{}
	for name, h := range e.handlers {
		if h.callee.settings.slo > 0 {
			declared[name] = h.callee.settings.slo
		}
	}
	return declared
}
