package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

func TestCleanup(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellAll()
		for _, c := range []struct {
			args []string
			want string
			code int
		}{
			{[]string{"cleanup", "--older-than", "365d"}, "Nothing is that old.\n", exitOK},
			{[]string{"cleanup", "--older-than", "0s", "--dry-run"}, "3 executions (1 completed, 2 failed) with 6 tasks would be deleted.\n", exitOK},
			{[]string{"cleanup", "--older-than", "0s"}, "Delete 3 executions (1 completed, 2 failed) with 6 tasks? [y/N]", exitUsage}, // nobody answers
			{[]string{"cleanup", "--older-than", "0s", "--state", "completed", "--yes"}, "Deleted 1 execution (1 completed) with 4 tasks.\n", exitOK},
			{[]string{"show", completedID}, "no execution", exitError},
			{[]string{"show", failedID}, "State: failed\n", exitOK},
			{[]string{"dlq", "list"}, failedID + ".2", exitOK},
		} {
			if got := h.run(c.args...); got.code != c.code || !strings.Contains(got.stdout+got.stderr, c.want) {
				t.Errorf("%q: exit code %d, want %q in\n%s%s", c.args, got.code, c.want, got.stdout, got.stderr)
			}
		}
		var shape cleanupShape
		if err := json.Unmarshal([]byte(h.run("cleanup", "--older-than", "0s", "--yes", "--json").stdout), &shape); err != nil ||
			shape.Executions != 2 || shape.ByState[backend.Failed] != 2 || shape.ByState[backend.Completed] != 0 {
			t.Errorf("%+v, %v", shape, err)
		}
		if got := h.run("dlq", "list"); !strings.Contains(got.stdout, failedID+".2") {
			t.Errorf("the dead letters are gone with their executions:\n%s", got.stdout)
		}
	})
}
