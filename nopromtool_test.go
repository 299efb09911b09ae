//go:build !promtool

package stent_test

import "github.com/stentgo/stent/core/backend"

// outageErrors are as many as show that the metric counts them.
const outageErrors = 6

// alerts is for those who have promtool: make test-alerts.
func (*page) alerts(*world, backend.Fault) {}
