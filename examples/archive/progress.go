package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// progress is how far an archive is, according to the database.
type progress struct{ done, total int }

func progressOf(s *core.Snapshot) progress {
	var p progress
	for _, item := range s.Progress {
		if item.Step == compressFile.Name() && item.State == backend.Completed {
			p.done++
		}
	}
	for _, item := range s.Custom {
		if item.Name == filesTotal {
			_ = json.Unmarshal(item.Value, &p.total) // the workflow has set it to a number
		}
	}
	return p
}

func (p progress) String() string {
	if p.total == 0 {
		return "the folder is being listed"
	}
	return fmt.Sprintf("%d of %d files", p.done, p.total)
}

// showProgress prints the progress when it has changed, every second. Where there are so many files that counting them
// takes long, it counts less often.
func (s *session) showProgress(ctx context.Context, id string) {
	var shown progress
	for pause := time.Second; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		begun := time.Now()
		found, err := s.engine.StateOf(ctx, id)
		if err != nil {
			continue // the next time may do better
		}
		if p := progressOf(&found); p != shown {
			fmt.Fprintln(s.out, p)
			shown = p
		}
		pause = max(time.Second, 20*time.Since(begun))
	}
}

func (s Summary) String() string {
	text := fmt.Sprintf("%s, %s in %s", count(s.Files, "file"), size(s.Bytes), size(s.Compressed))
	if s.Symlinks > 0 {
		text += ", " + count(s.Symlinks, "symbolic link")
	}
	if s.LeftOut > 0 {
		text += fmt.Sprintf(", %d left out (`grep left_out` in the manifest tells which and why)", s.LeftOut)
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// size is a number of bytes as people say it.
func size(bytes int64) string {
	if bytes < 1000 {
		return count(int(bytes), "byte")
	}
	n, unit := float64(bytes)/1000, 0
	for ; n >= 999.95; n /= 1000 { // where it would be shown as 1000.0
		unit++
	}
	return fmt.Sprintf("%.1f %cB", n, "kMGTPE"[unit])
}
