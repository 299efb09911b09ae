package memory_test

import (
	"testing"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/backendtest"
	"github.com/stentgo/stent/core/backend/memory"
)

func TestConformance(t *testing.T) {
	features := backendtest.Features{
		Another:    func(_ *testing.T, b backend.Backend) backend.Backend { return b.(*memory.DB).Another() },
		PauseQueue: func(_ *testing.T, b backend.Backend, queue string) { b.(*memory.DB).Pause(queue) },
		Actions: func(_ *testing.T, b backend.Backend, id backend.TaskID, actor, action string) int {
			return b.(*memory.DB).Actions(id, actor, action)
		},
	}
	backendtest.Run(t, features, func(*testing.T) backend.Backend { return memory.Open() })
}
