package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Sample is what the sampler read from the database at one moment. It is not to be changed: every recorder has it.
type Sample struct {
	// Err says that it could not be read; everything but At and Took is zero then, and gauges are to be withheld rather
	// than kept at what they were.
	Err  error
	At   time.Time     // when it was complete, by this process's clock
	Took time.Duration // to read it

	Stats     backend.Stats
	ClockSkew time.Duration // how far this process's clock is ahead of the database's, to within Took

	Database *backend.DatabaseStats // nil where the backend cannot tell
}

// DefaultSampleInterval is how often the database is read for the gauges: 15 s.
const DefaultSampleInterval = 15 * time.Second

// WithSampleInterval sets how often an engine with recorders reads the database for the gauges while it serves; negative
// for never, as where an exporter does that. Default 15 s.
func WithSampleInterval(d time.Duration) Option {
	return func(e *Engine) error {
		if d == 0 {
			return errors.New("WithSampleInterval: 0: want a duration, or a negative one for never")
		}
		e.sampler.interval = d
		return nil
	}
}

// RunSampler reads the database for the gauges at once and then again after each interval (0 means the default, 15 s),
// and tells the recorders, until ctx ends. It is for a program that does not serve; one that does samples by itself. A
// reading that fails, or takes longer than the interval or 15 s, is told as such, logged, and followed by the next; two readings
// are never under way at once.
func (e *Engine) RunSampler(ctx context.Context, interval time.Duration) error {
	if interval < 0 {
		return fmt.Errorf("stent: run sampler: an interval of %v: want 0 (for %v) or more", interval, DefaultSampleInterval)
	}
	e.sampler.run(ctx, e, orDefault(interval, DefaultSampleInterval))
	return nil
}

// sampler is an engine's one reader of gauges, which runs while any Serve does.
type sampler struct {
	interval time.Duration // 0: the default; negative: never

	reading sync.Mutex // held by who reads
	failing bool       // the last reading failed; guarded by reading

	mu    sync.Mutex
	users int
	stop  context.CancelFunc
	done  chan struct{}
}

// use keeps the sampler running until release is called, which waits for it if it was the last.
func (s *sampler) use(e *Engine) (release func()) {
	if len(e.metrics) == 0 || s.interval < 0 {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
	if s.users == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		s.stop, s.done = cancel, done
		go func() {
			defer close(done)
			s.run(ctx, e, orDefault(s.interval, DefaultSampleInterval))
		}()
	}
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.users--; s.users == 0 {
			s.stop()
			<-s.done
		}
	})
}

func (s *sampler) run(ctx context.Context, e *Engine, interval time.Duration) {
	for {
		s.sample(ctx, e, interval)
		over := make(chan struct{})
		timer := e.clock.AfterFunc(interval, func() { close(over) })
		select {
		case <-over:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (s *sampler) sample(ctx context.Context, e *Engine, limit time.Duration) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if ctx.Err() != nil {
		return
	}
	within, cancel := context.WithTimeout(ctx, max(limit, DefaultSampleInterval)) // a crowded database is slow, not gone
	defer cancel()
	sample := e.readSample(within)
	if ctx.Err() != nil {
		return // it failed because nobody wants it any more
	}
	if sample.Err != nil {
		e.measureError("sample", sample.Err)
	}
	if failed := sample.Err != nil; failed != s.failing {
		s.failing = failed
		if failed {
			e.log.Warn("cannot read the database for the gauges, which are withheld until that succeeds", "error", sample.Err)
		} else {
			e.log.Info("the database can be read for the gauges again")
		}
	}
	e.metrics.put(&recorded{what: sampled, extra: sample})
}

func (e *Engine) readSample(ctx context.Context) *Sample {
	began := e.clock.Now()
	stats, err := e.db.Stats(ctx)
	read := e.clock.Now()
	s := &Sample{Stats: stats, ClockSkew: began.Add(read.Sub(began) / 2).Sub(stats.Now)}
	if d, ok := e.db.(backend.Diagnoser); ok && err == nil {
		var database backend.DatabaseStats
		if database, err = d.Diagnose(ctx); err == nil {
			s.Database = &database
		}
	}
	if err != nil {
		s = &Sample{Err: err}
	}
	s.At = e.clock.Now()
	s.Took = s.At.Sub(began)
	return s
}
