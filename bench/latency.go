package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// latencyRows are starts at even distances, whether or not those before have begun, served by the process that starts or
// by another one. What counts is the time from the call of a start to the begin of the execution's activity, or of the job
// where there are no activities.
func latencyRows() []row {
	var all []row
	for _, kind := range []string{"postgres", "sqlite"} {
		for _, apart := range []bool{false, true} {
			for _, rate := range []int{1, 20, 200, 2000} {
				w := row{name: fmt.Sprintf("%s-starts-%d", kind, rate), title: "the same process", kind: kind, rate: rate, work: starts(rate, apart)}
				if apart {
					w.name, w.title = w.name+"-apart", "another process"
				}
				all = append(all, w)
			}
		}
	}
	return all
}

// latency measures all of them, of all engines.
func latency(ctx context.Context, args []string) error {
	var p plan
	f := p.flags("latency", "LATENCY.md")
	if err := p.parse(f, args); err != nil {
		return err
	}
	return withServer(ctx, func(s *server) error {
		var b strings.Builder
		fmt.Fprintf(&b, "# From a start to the begin of its activity\n\nWritten by `bench latency`. %s, PostgreSQL %s. Starts are sent at even distances, whether or not\n"+
			"those before have begun; %v for each rate. Milliseconds.\n\n| database | engine | served by | starts/s | begun | p50 | p99 | most | histogram |\n|---|---|---|---|---|---|---|---|---|\n",
			cpuModel(), s.version, p.length)
		for _, e := range engines() {
			for _, w := range latencyRows() {
				if !slices.Contains(e.kinds, w.kind) || !p.engines.MatchString(e.name) || !p.rows.MatchString(w.name) {
					continue
				}
				m, err := measureApart(ctx, s, e, w, p.length)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if m.Missing {
					continue
				}
				line := lags(m.Millis)
				if err != nil {
					line = "failed: " + oneLine(err.Error()) + " |||||"
				}
				line = fmt.Sprintf("| %s | %s | %s | %d | %s\n", w.kind, e.name, w.title, w.rate, line)
				fmt.Fprint(os.Stderr, line)
				b.WriteString(line)
			}
		}
		return write(p.out, b.String())
	})
}

// buckets of the histogram, in milliseconds.
var buckets = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}

// lags are the columns of what was begun.
func lags(millis []float64) string {
	if len(millis) == 0 {
		return "0 | - | - | - | |"
	}
	var bars []string
	from := 0
	for _, limit := range buckets {
		to, _ := slices.BinarySearch(millis, limit)
		if to > from {
			bars = append(bars, fmt.Sprintf("<%g: %d", limit, to-from))
		}
		from = to
	}
	if from < len(millis) {
		bars = append(bars, fmt.Sprintf("more: %d", len(millis)-from))
	}
	return fmt.Sprintf("%d | %.2f | %.2f | %.2f | %s |", len(millis), quantile(millis, 0.5), quantile(millis, 0.99), millis[len(millis)-1], strings.Join(bars, ", "))
}

// quantile of what is sorted.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// starts sends so many starts a second.
func starts(rate int, apart bool) func(context.Context, *round) error {
	return func(ctx context.Context, r *round) error {
		s, ok := r.session.(starter)
		if !ok || apart && !r.engine.startsApart(r.target.kind) {
			return errNotHad
		}
		g := &gauge{}
		serve := func() (stop func(), err error) { return func() {}, s.ServeStarts(ctx, g.begun) }
		if apart {
			serve = func() (stop func(), err error) { return g.other(ctx, r) }
		}
		stop, err := serve()
		if err != nil {
			return err
		}
		defer stop()
		err = r.measured(ctx, func() (int64, error) {
			length := r.length
			if length >= time.Second {
				length = max(length, 3*time.Second) // the slowest of a hundred has to be met more than twice
			}
			err := g.send(ctx, s, rate, length)
			return int64(len(g.taken())), err
		})
		r.millis = g.taken()
		slices.Sort(r.millis)
		return err
	}
}

// gauge collects what was begun.
type gauge struct {
	mu     sync.Mutex
	millis []float64
}

func (g *gauge) begun(sent int64) { g.note(sent, time.Now().UnixNano()) }

func (g *gauge) print(sent int64) { fmt.Println(sent, time.Now().UnixNano()) }

func (g *gauge) note(sent, at int64) {
	if sent == 0 { // until pools and plans are warm
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.millis = append(g.millis, float64(at-sent)/1e6)
}

func (g *gauge) taken() []float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.millis
}

// other starts the process that serves, and reads its lines.
func (g *gauge) other(ctx context.Context, r *round) (stop func(), err error) {
	if s, ok := r.session.(interface{ Prepare() error }); ok {
		if err := s.Prepare(); err != nil {
			return nil, err
		}
	}
	lines, stop, err := otherProcess(ctx, r, "-starts")
	if err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go func() {
		for lines.Scan() {
			var sent, at int64
			if _, err := fmt.Sscan(lines.Text(), &sent, &at); err != nil {
				close(ready) // the first line says so
				continue
			}
			g.note(sent, at)
		}
	}()
	select {
	case <-ready:
		return stop, nil
	case <-time.After(time.Minute):
		stop()
		return nil, errors.New("the other process does not serve")
	}
}

// send starts at even distances, each from a goroutine of its own, and waits a while for the last to begin.
func (g *gauge) send(ctx context.Context, s starter, rate int, length time.Duration) error {
	for range 20 {
		if err := s.Start(ctx, 0); err != nil {
			return err
		}
	}
	n := max(int(float64(rate)*length.Seconds()), 3)
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed error
	)
	begun := time.Now()
	for i := range n {
		if d := time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(rate))); d > 0 {
			if err := pause(ctx, d); err != nil {
				return err
			}
		}
		wg.Go(func() {
			if err := s.Start(ctx, time.Now().UnixNano()); err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for end := time.Now().Add(10 * time.Second); len(g.taken()) < n && time.Now().Before(end); {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return failed
}
