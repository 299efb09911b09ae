package core

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// look asks for work from time to time, in case nobody tells, and puts workflows aside that have waited for long.
func (w *worker) look(ctx context.Context) {
	for w.pause(ctx, w.lookIn()) {
		w.claim()
		limit := w.e.clock.Now().Add(-w.cfg.EvictAfter)
		for _, r := range w.resident() {
			if r.waitsSince(limit) {
				r.deliver(event{evict: true})
			}
		}
	}
}

// calm is how long nothing has happened that concerns the worker. One that is told of news looks only for what was lost on
// the way: a process that died between its commit and its note, for example.
type calm struct {
	told  bool // the database tells of news
	looks int  // since there was any, or work
}

// calmLooks is after how many looks for nothing a worker looks half as often.
const calmLooks = 5

// lookIn is how long it is until the next look.
func (w *worker) lookIn() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calm.told && w.calm.looks >= calmLooks {
		return 2 * w.cfg.PollInterval
	}
	w.calm.looks++
	return w.cfg.PollInterval
}

func (w *worker) stir() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm.looks = 0
}

func (w *worker) watch(ctx context.Context, watcher backend.Watcher) {
	w.tells(true)
	defer w.tells(false)
	if err := watcher.Watch(ctx, w.id, w.cfg.Queues, w.changed); err != nil {
		w.e.log.Warn("cannot watch the database, polling only", "stent_worker_id", w.id, "interval", w.cfg.PollInterval, "error", err)
	}
}

func (w *worker) tells(told bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm.told = told
}
