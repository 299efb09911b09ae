package memory_test

import (
	"testing"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/backendtest"
	"github.com/stentgo/stent/core/backend/memory"
)

func TestConformance(t *testing.T) {
	features := backendtest.Features{
		Another: func(_ *testing.T, b backend.Backend) backend.Backend { return b.(*memory.DB).Another() },
	}
	backendtest.Run(t, features, func(*testing.T) backend.Backend { return memory.Open() })
}
