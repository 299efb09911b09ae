package stent_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
)

// Stories of a database that cannot do its work for a while. The program is not restarted: what it accepted is done once,
// whoever asks meanwhile is told what is wrong, and the log, a metric and an alert name it.

// outage is what happens to a database.
type outage struct {
	fault  backend.Fault
	says   []string // by the error of whoever asks meanwhile; the last is the cause
	strike func(w *world)
	heal   func(w *world)
	lease  time.Duration // of the worker; an outage that is longer has it begin anew
	longer bool          // the outage is
}

func TestAnOutageIsNamedAndOverByItself(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for name, outage := range outagesOf(w) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				endure(outage(t))
			})
		}
	})
}

var (
	parcel      = core.NewActivity[int, []byte]("parcel")
	consignment = core.NewWorkflow[[]byte, int]("consignment")
)

// parcels is a program whose activities count how often each of them has run. The second of each execution waits until the
// gate is open.
type parcels struct {
	*program
	ran  tally
	gate chan struct{}
	log  *logbook
	page *page
}

const consignments = 10

func (w *world) parcels(lease time.Duration) *parcels {
	registry := prom.NewRegistry()
	recorder, err := stentprom.New(registry)
	if err != nil {
		w.Fatal(err)
	}
	server := httptest.NewServer(recorder.Handler())
	w.Cleanup(server.Close)
	p := &parcels{gate: make(chan struct{}), log: &logbook{}, page: &page{t: w.T, url: server.URL}}
	e, err := core.New(w.open(), core.WithMetrics(recorder), core.WithLogger(slog.New(p.log)), core.WithSampleInterval(-1))
	if err != nil {
		w.Fatal(err)
	}
	err = e.Register(
		parcel.Handle(func(ctx context.Context, n int) ([]byte, error) {
			info, _ := core.InfoFrom(ctx)
			p.ran.add(info.TaskID)
			p.ran.add(fmt.Sprint("parcel ", n))
			if n == 1 {
				<-p.gate
			}
			return noise(8 << 10), nil
		}),
		consignment.Handle(func(flow *core.Flow, _ []byte) (int, error) {
			for n := range 3 {
				flow.Counter("parcels").Add(1)
				if _, err := parcel.Call(flow, n); err != nil {
					return n, err
				}
			}
			return 3, nil
		}),
	)
	if err != nil {
		w.Fatal(err)
	}
	p.program = &program{Engine: e, w: w, stop: func() {}}
	p.serve(core.WorkerConfig{Lease: lease})
	w.eventually("the worker has begun", func() bool { return e.WorkerStatus().Ready })
	return p
}

// noise cannot be compressed, so that it takes its room.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func endure(w *world, o outage) {
	p := w.parcels(o.lease)
	var ids []string
	for i := range consignments {
		ids = append(ids, start(p.program, consignment, nil, core.ID(fmt.Sprint("before-", i))).ID())
	}
	w.eventually("all are in the middle", func() bool { return p.ran.of("parcel 1") >= consignments })
	if n := p.page.errors(""); n != 0 {
		w.Errorf("%v errors before there is a reason", n)
	}
	p.page.watch(w)
	o.strike(w)
	close(p.gate)

	refused := ""
	var last error
	defer func() {
		if refused == "" {
			w.Logf("the last error: %v", last)
		}
	}()
	w.eventually("whoever starts an execution is told what is wrong", func() bool {
		id := fmt.Sprint("during-", len(ids))
		_, err := consignment.Start(w.ctx(), p.Engine, noise(1<<18), core.ID(id))
		last = err
		if err == nil {
			ids = append(ids, id) // it was accepted
			return false
		}
		var fault *backend.FaultError
		if !errors.As(err, &fault) || fault.Fault != o.fault || !strings.Contains(err.Error(), o.says[len(o.says)-1]) {
			return false // the end of the connections, before the cause
		}
		refused = id
		for _, part := range append([]string{"start consignment as " + id + ": " + w.backend + ": commit "}, o.says...) {
			if !strings.Contains(err.Error(), part) {
				w.Errorf("the error does not say %q: %v", part, err)
			}
		}
		return true
	})
	w.eventually("the metric says why", func() bool {
		_, _ = consignment.Start(w.ctx(), p.Engine, noise(1<<18), core.ID(refused)) // who asks goes on asking
		return p.page.errors(o.fault) > outageErrors
	})
	if o.longer {
		w.eventually("the worker has lost its lease, and its metrics say so", func() bool {
			return p.log.count("the lease is over") > 0 && !bytes.Contains(get(w.T, p.page.url), []byte(`stent_lease_renewals_total{result="lost"} 0`))
		})
	}
	o.heal(w)

	ids = append(ids, start(p.program, consignment, nil, core.ID("after")).ID())
	for _, id := range ids {
		s := p.inState(id, backend.Completed)
		if string(s.Result) != "3" || len(s.Counters) != 1 || s.Counters[0].Value != 3 {
			w.Errorf("%s: result %s, counters %v", id, s.Result, s.Counters)
		}
		for n := range 3 {
			// One whose end could not be written within the lease runs again, and only that.
			ran := p.ran.of(fmt.Sprintf("%s.%d", id, n+1))
			again := o.longer && (n == 1 || !strings.HasPrefix(id, "before"))
			if ran < 1 || ran > 1 && !again {
				w.Errorf("%s.%d ran %d times", id, n+1, ran)
			}
		}
	}
	w.eventually("the log says that it is over", func() bool { return p.log.count("does its work again") == 1 })
	p.page.stop()
	p.log.judge(w.T, o)
	w.isSound()
	p.page.alerts(w, o.fault)
}

// logbook keeps what an engine logs, for people who do not debug unless debug is set.
type logbook struct {
	slog.Handler
	debug atomic.Bool
	mu    sync.Mutex
	lines []string
}

func (l *logbook) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || l.debug.Load()
}

func (l *logbook) Handle(ctx context.Context, r slog.Record) error {
	var line bytes.Buffer
	err := slog.NewTextHandler(&line, &slog.HandlerOptions{Level: slog.LevelDebug}).Handle(ctx, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line.String())
	return err
}

func (l *logbook) count(parts ...string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		has := true
		for _, part := range parts {
			has = has && strings.Contains(line, part)
		}
		if has {
			n++
		}
	}
	return n
}

// judge finds the outage told once, at the level of somebody who has to come, or of something that may pass.
func (l *logbook) judge(t *testing.T, o outage) {
	t.Helper()
	level := "level=WARN"
	if o.fault.NeedsSomebody() {
		level = "level=ERROR"
	}
	if n := l.count(level, "the database cannot do its work", "fault="+string(o.fault), o.says[0]); n != 1 {
		t.Errorf("the outage was told %d times", n)
	}
	// Beside it: that the connections broke, that the lease was lost, and what that led to.
	if n := l.count("level=WARN") + l.count("level=ERROR"); n > 10 {
		t.Errorf("%d lines of an outage", n)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Logf("the log:\n%s", strings.Join(l.lines, ""))
}

// page is what Prometheus scrapes.
type page struct {
	t   *testing.T
	url string

	scrapes []map[backend.Fault]float64 // errors of commits, one scrape after the other; to be read after stop
	stop    func()
}

// errors are how many errors of commits the page shows, with a fault or all.
func (p *page) errors(fault backend.Fault) (n float64) {
	for f, v := range p.scrape() {
		if f == fault || fault == "" {
			n += v
		}
	}
	return n
}

func (p *page) scrape() map[backend.Fault]float64 {
	p.t.Helper()
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(bytes.NewReader(get(p.t, p.url)))
	if err != nil {
		p.t.Fatal(err)
	}
	found := map[backend.Fault]float64{}
	for _, series := range families[metrics.BackendErrors.Name].GetMetric() {
		has := map[string]string{}
		for _, l := range series.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		if has[metrics.LabelOperation] == "commit" {
			found[backend.Fault(has[metrics.LabelReason])] = series.GetCounter().GetValue()
		}
	}
	return found
}

// watch scrapes the page again and again until the story ends.
func (p *page) watch(w *world) {
	done, stopped := make(chan struct{}), make(chan struct{})
	p.stop = sync.OnceFunc(func() { close(done); <-stopped })
	w.Cleanup(p.stop)
	go func() {
		defer close(stopped)
		for tick := time.Tick(100 * time.Millisecond); ; {
			p.scrapes = append(p.scrapes, p.scrape())
			select {
			case <-done:
				return
			case <-tick:
			}
		}
	}()
}
