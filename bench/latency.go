package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// latencyRates are the starts a second.
var latencyRates = []int{1, 20, 200, 2000}

// lags are what was measured at one rate, in milliseconds.
type lags struct {
	Rate    int
	Millis  []float64
	Missing bool
}

// latency measures from the call of a start to the begin of the execution's activity, or of the job where there are no
// activities, in the process that starts and in another one.
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
		for _, kind := range []string{"postgres", "sqlite"} {
			for _, e := range engines() {
				if !slices.Contains(e.kinds, kind) || !p.engines.MatchString(e.name) || !p.rows.MatchString(kind) {
					continue
				}
				for _, apart := range []bool{false, true} {
					for _, rate := range latencyRates {
						l, err := startsApart(ctx, s, e, kind, rate, apart, p.length)
						if ctx.Err() != nil {
							return ctx.Err()
						}
						if err != nil {
							fmt.Fprintf(os.Stderr, "%s %s %d/s: %v\n", kind, e.name, rate, err)
							fmt.Fprintf(&b, "| %s | %s | %s | %d | failed: %s |||||\n", kind, e.name, servedBy(apart), rate, oneLine(err.Error()))
							continue
						}
						if l.Missing {
							break
						}
						line := l.line()
						fmt.Fprintf(os.Stderr, "%s %s %s: %s\n", kind, e.name, servedBy(apart), line)
						fmt.Fprintf(&b, "| %s | %s | %s | %s\n", kind, e.name, servedBy(apart), line)
					}
				}
			}
		}
		return write(p.out, b.String())
	})
}

func servedBy(apart bool) string {
	if apart {
		return "another process"
	}
	return "the same process"
}

// buckets of the histogram, in milliseconds.
var buckets = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}

func (l lags) line() string {
	slices.Sort(l.Millis)
	n := len(l.Millis)
	if n == 0 {
		return fmt.Sprintf("%d | 0 | - | - | - | |", l.Rate)
	}
	at := func(q float64) float64 { return l.Millis[min(int(q*float64(n)), n-1)] }
	var bars []string
	from := 0
	for _, limit := range buckets {
		to, _ := slices.BinarySearch(l.Millis, limit)
		if to > from {
			bars = append(bars, fmt.Sprintf("<%g: %d", limit, to-from))
		}
		from = to
	}
	if from < n {
		bars = append(bars, fmt.Sprintf("more: %d", n-from))
	}
	return fmt.Sprintf("%d | %d | %.2f | %.2f | %.2f | %s |", l.Rate, n, at(0.5), at(0.99), l.Millis[n-1], strings.Join(bars, ", "))
}

func startsApart(ctx context.Context, s *server, e engine, kind string, rate int, apart bool, length time.Duration) (l lags, err error) {
	address, drop, err := s.fresh(ctx, kind)
	if err != nil {
		return l, err
	}
	defer drop()
	self, err := os.Executable()
	if err != nil {
		return l, err
	}
	ctx, cancel := context.WithTimeout(ctx, length+timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "starts", "-engine", e.name, "-kind", kind, "-address", address, "-for", length.String(),
		fmt.Sprint("-rate=", rate), fmt.Sprint("-apart=", apart))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return l, fmt.Errorf("%w: %s", err, last(errs.String()))
	}
	return l, json.Unmarshal(out.Bytes(), &l)
}

// startsHere is the process of one rate. With -worker it is the other process, which writes a line for each begin.
func startsHere(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("starts", flag.ContinueOnError)
	engineName := flags.String("engine", "stent", "whose")
	kind := flags.String("kind", "postgres", "of database")
	address := flags.String("address", "", "of an empty database")
	length := flags.Duration("for", 2*time.Second, "how long")
	rate := flags.Int("rate", 20, "starts a second")
	apart := flags.Bool("apart", false, "another process serves")
	worker := flags.Bool("worker", false, "be the other process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e, err := find(*engineName)
	if err != nil {
		return err
	}
	opened, err := e.open(ctx, target{*kind, *address, true})
	if err != nil {
		return err
	}
	s, ok := opened.(starter)
	if !ok || *apart && !e.startsApart() {
		return json.NewEncoder(os.Stdout).Encode(lags{Rate: *rate, Missing: true})
	}
	g := &gauge{}
	if *worker {
		if err := s.ServeStarts(ctx, g.print); err != nil {
			return err
		}
		fmt.Println("ready")
		<-ctx.Done()
		return nil
	}
	if *apart {
		stop, err := g.other(ctx, append([]string{"starts", "-worker"}, args...))
		if err != nil {
			return err
		}
		defer stop()
		if r, ok := s.(interface{ Prepare() error }); ok {
			if err := r.Prepare(); err != nil {
				return err
			}
		}
	} else if err := s.ServeStarts(ctx, g.begun); err != nil {
		return err
	}
	if err := g.send(ctx, s, *rate, *length); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(lags{Rate: *rate, Millis: g.taken()})
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
func (g *gauge) other(ctx context.Context, args []string) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go func() {
		once := sync.OnceFunc(func() { close(ready) })
		for {
			var first string
			if _, err := fmt.Fscan(out, &first); err != nil {
				return
			}
			var sent, at int64
			if _, err := fmt.Sscan(first, &sent); err != nil {
				once()
				continue
			}
			if _, err := fmt.Fscan(out, &at); err != nil {
				return
			}
			g.note(sent, at)
		}
	}()
	stop = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	select {
	case <-ready:
		return stop, nil
	case <-time.After(time.Minute):
		stop()
		return nil, fmt.Errorf("the other process does not serve")
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
