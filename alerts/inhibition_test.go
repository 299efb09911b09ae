package alerts

import (
	"slices"
	"testing"
)

// A name in an inhibition that no alert has would silence nothing.
func TestInhibitionsNameAlerts(t *testing.T) {
	for _, i := range inhibitions {
		for _, name := range append([]string{i.source}, i.target...) {
			if !slices.Contains(Names(), name) {
				t.Errorf("there is no alert %s", name)
			}
		}
	}
}
