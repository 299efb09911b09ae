//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// direct is a whole soak: load and faults, then healing, then a calm load, then the judgement.
func direct(ctx context.Context, o options, out io.Writer) (err error) {
	r := newReport(out, o.verbose)
	dir, err := os.MkdirTemp("", "stent-soak-")
	if err != nil {
		return err
	}
	defer func() {
		if r.violated() > 0 {
			fmt.Fprintf(out, "kept        %s\n", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	mended := filepath.Join(dir, "mended")
	if err := os.Mkdir(mended, 0o700); err != nil {
		return err
	}
	ledger, err := openLedger(filepath.Join(dir, "ledger"), 0)
	if err != nil {
		return err
	}
	db, err := newDatabase(ctx, o.backend, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	fmt.Fprintf(out, "soak        %s, %v of faults, %d workers, lease %v, %.0f starts/s, -seed %d\n", db, o.length, o.workers, lease, o.rate, o.seed)

	s := &soak{options: o, report: r, db: db, ledger: ledger, mended: mended}
	if err := s.play(ctx); err != nil {
		return err
	}
	r.print()
	if r.violated() > 0 {
		return errViolated
	}
	return nil
}

type soak struct {
	options
	report *report
	db     *database
	ledger *ledger
	mended string

	client *client
	fleet  *fleet
	store  backend.Backend // straight to the database, for the judge
}

// random is a source of its own for each of those who draw, so that they do not depend on each other's timing.
func (s *soak) random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(s.seed, stream)) }

func (s *soak) play(ctx context.Context) (err error) {
	proxies := []*proxy{}
	var through *proxy
	if s.db.server != nil {
		if through, err = newProxy(ctx, s.db.hostPort); err != nil {
			return err
		}
		proxies = append(proxies, through)
	}
	defer func() {
		for _, p := range proxies {
			p.close()
		}
	}()
	s.fleet = &fleet{db: s.db, ledger: s.ledger, mended: s.mended, random: s.random(2)}
	if s.before != "" {
		if err := s.olderBegin(ctx); err != nil {
			return err
		}
	}
	if s.store, err = openBackend(ctx, s.db.name, s.db.address(nil)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	db, err := openBackend(ctx, s.db.name, s.db.address(through))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	counts := &counts{n: map[string]int64{}}
	engine, err := core.New(db, core.WithMetrics(counts), core.WithSampleInterval(-1))
	if err != nil {
		return err
	}
	s.client = &client{engine: engine, counts: counts, mended: s.mended, report: s.report, random: s.random(1), started: map[string]*started{}}
	if s.before != "" {
		if err := s.ledger.write(entry{What: migrated}); err != nil {
			return err
		}
	}
	for range s.workers {
		if err := s.fleet.recruit(ctx, false, ""); err != nil {
			return err
		}
	}

	s.storm(ctx, through)
	s.calm(ctx)
	if err := engine.FlushMetrics(ctx); err != nil {
		return err
	}
	return s.judge(ctx)
}

// older is how many workers of an older version begin.
const older = 2

// olderBegin starts workers of an older version, which make the database, and waits until they serve.
func (s *soak) olderBegin(ctx context.Context) error {
	for range older {
		if err := s.fleet.recruit(ctx, false, s.before); err != nil {
			return err
		}
	}
	for serving := map[int]bool{}; len(serving) < older; <-time.After(50 * time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := readLedger(s.ledger.file.Name())
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.What == told {
				serving[e.Process] = true
			}
		}
	}
	return nil
}

// storm is load and faults at once. The client's own connection is cut too.
func (s *soak) storm(ctx context.Context, through *proxy) {
	limited, cancel := context.WithTimeout(ctx, s.length)
	defer cancel()
	n := &nemesis{db: s.db, store: s.store, fleet: s.fleet, random: s.random(3), report: s.report}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if through == nil {
			return
		}
		for random := s.random(4); limited.Err() == nil; {
			n.rest(limited, time.Second+time.Duration(random.Int64N(int64(4*time.Second))))
			through.loseAnswers()
			n.rest(limited, time.Duration(random.Int64N(int64(50*time.Millisecond))))
			through.cut()
			through.heal()
		}
	}()
	load := make(chan struct{})
	go func() {
		defer close(load)
		s.client.drive(limited, s.rate)
	}()
	n.rage(limited, s.only)
	<-load
	<-done
}

// calm heals all, waits until what was started has ended, and ends the workers that have seen the storm. Then it starts
// some more with fresh workers: now everything has to be exact.
func (s *soak) calm(ctx context.Context) {
	s.report.tell("calm")
	for _, m := range s.fleet.all() {
		if m.proxy != nil {
			m.proxy.heal()
		}
	}
	s.client.startLeft(ctx)
	s.settle(ctx)
	s.fleet.dismiss()
	s.report.note("workers     %d processes, %d ended by themselves", s.fleet.next, s.fleet.restarts)
	for i, line := range s.fleet.ended {
		if i < 5 || s.verbose {
			s.report.note("            %s", line)
		}
	}

	before := s.fleet.next
	s.fleet = &fleet{db: s.db, ledger: s.ledger, mended: s.mended, random: s.random(5), next: before + 1000}
	for range 2 {
		if err := s.fleet.recruit(ctx, true, ""); err != nil {
			s.report.violate("start a calm worker: %v", err)
		}
	}
	for i := range 60 {
		kind, p := s.client.choose()
		s.client.start(ctx, fmt.Sprintf("calm-%s-%d", kind, i), kind, p)
	}
	s.settle(ctx)
	s.fleet.dismiss()
}

// settle waits until all that was started has ended, or nothing has for a while.
func (s *soak) settle(ctx context.Context) {
	const quiet = 30 * time.Second // longer than any back-off, lease or timer of the load
	last, since := -1, time.Now()
	for ctx.Err() == nil && time.Since(since) < quiet {
		left := s.unended(ctx) + int(s.client.courted.Load())
		if left == 0 {
			return
		}
		if left != last {
			last, since = left, time.Now()
		}
		<-time.After(100 * time.Millisecond)
	}
	s.report.note("            nothing has ended for %v", quiet)
}

// unended counts executions that are still to end.
func (s *soak) unended(ctx context.Context) int {
	n := 0
	for _, state := range []backend.State{backend.Pending, backend.Running, backend.Cancelling} {
		f := backend.ExecutionFilter{States: []backend.State{state}, Limit: 500}
		for {
			list, err := s.store.Executions(ctx, f)
			if err != nil {
				return -1
			}
			for i := range list {
				if list[i].Workflow != patient.Name() {
					n++
				}
			}
			if len(list) < f.Limit {
				break
			}
			f.After = list[len(list)-1].ID
		}
	}
	return n
}
