package drill_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/e2e/parts"
)

// standstill is how long a worker stands still: longer than its lease.
const standstill = 2 * lease

// The story: a shop is healthy; then nearly everything goes wrong that can, and is put right. See docs/drill.md.
func TestDrill(t *testing.T) {
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := newStage(t, ctx)
	var err error
	if s.watch, err = newWatch(s); err != nil {
		t.Fatal(err)
	}
	customers := s.customers()
	opened := time.Now()

	s.healthy()
	s.troubles()
	s.recovery()
	mended := time.Now()
	s.blindness()

	s.watch.until = time.Now()

	customers.stop()
	s.idle()
	s.gaugesAgree()
	s.waysAgree(stands)
	s.drain()
	s.countersAgree()
	s.waysAgree(func(q *panelQuery) bool { return !stands(q) })
	s.everyQueryHasData()
	s.tracesAreWhole()
	if err := s.table(); err != nil {
		t.Error(err)
	}
	if *pictures != "" {
		s.draw(*pictures, opened, mended)
	}
	if *stay {
		s.goOn()
	}
}

// goOn opens the shop again, and waits for Ctrl-C.
func (s *stage) goOn() {
	for _, r := range s.roles {
		if program := s.running[r.Name]; program != nil {
			program.Kill()
			s.beside[r.Name].Kill()
			s.beside[r.Name] = parts.StartStatsD(s.t, r.StatsD)
			s.start(r.Name)
		}
	}
	s.customers()
	s.addresses()
	<-s.ctx.Done()
	s.say("closing")
}

// draw draws the dashboards of the whole shop from the incident.
func (s *stage) draw(folder string, from, to time.Time) {
	s.t.Helper()
	script, err := filepath.Abs(filepath.Join("..", "..", "internal", "pictures", "draw.mjs"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.ctx, "node", script, s.prometheus.url, fmt.Sprint(from.Unix()), fmt.Sprint(to.Unix()), folder, "interval=10s", "job=shop",
		"overview/namespace=shop", "queue/queue=billing|default|mail", "workflow/workflow=order_workflow", "workflow/queue=default|billing|mail",
		"workflow/step=validate_order|charge_payment|send_notification|fetch_rate|order_workflow")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		s.t.Errorf("%s: %v", cmd, err)
	}
}

// idle waits until nothing of the shop moves: all executions have ended.
func (s *stage) idle() {
	s.eventually(time.Minute, func() error {
		stats, err := s.office.db.Stats(s.ctx)
		if err != nil {
			return err
		}
		if n := stats.Executions[backend.Pending] + stats.Executions[backend.Running]; n > 0 {
			return fmt.Errorf("%d executions go on", n)
		}
		return nil
	})
}

// drain lets all workers end their work and show what they have counted.
func (s *stage) drain() {
	s.rest()
	for _, name := range s.living() {
		if name != "office-1" {
			s.signal(name, syscall.SIGUSR1)
		}
	}
	s.eventually(30*second, func() error {
		workers, err := s.office.db.Workers(s.ctx)
		if err != nil {
			return err
		}
		for _, w := range workers {
			if w.State == backend.WorkerReady || w.State == backend.WorkerDraining {
				return fmt.Errorf("%s is %s", w.ID, w.State)
			}
		}
		return nil
	})
	s.say("the workers have drained")
}

func (s *stage) healthy() {
	s.say("healthy: orders come in")
	s.settled()
	s.wait(20 * second)
	s.report()
	if notices := s.watch.notices(); len(notices) > 0 {
		s.t.Fatalf("%d alerts while all was well", len(notices))
	}
	s.say("no alert in the healthy phase")
}

// settled waits until each way of the metrics has those of all processes.
func (s *stage) settled() {
	s.eventually(time.Minute, func() error {
		for _, job := range jobs {
			found, err := s.prometheus.query(s.ctx, fmt.Sprintf(`count(stent_build_info{job=%q})`, job), time.Now())
			if err != nil {
				return err
			}
			if want := len(s.living()); len(found) != 1 || int(found[0].Value) != want {
				return fmt.Errorf("job %s: %v, want %d processes", job, found, want)
			}
		}
		return nil
	})
}

func (s *stage) troubles() {
	s.is("mail-1", "mail server", "hangs")
	s.holds("mail-1", "mail", mailSlots) // before little comes through a slow gateway
	s.begin(hungMail)
	s.shopsAre("gateway", "slow")
	s.shopsAre("rates", "flaky")
	s.begin(slowGateway, flakyRates)
	s.must(errands.Start(s.ctx, s.office.engine, errand{Activity: taxReport.Name()}))
	s.must(errands.Start(s.ctx, s.office.engine, errand{Activity: resize.Name(), Tags: []string{"colour"}}))
	s.must(errands.Start(s.ctx, s.office.engine, errand{Activity: export.Name()}))
	s.begin(noLedger, noColour, noExporter)

	s.holds("bind-1", "bindery", 1, errand{Activity: bind.Name()})
	s.signal("bind-1", syscall.SIGSTOP)
	s.begin(stopped)
	s.is("archive-1", "clock", "10s")
	s.begin(aheadClock)
	s.wait(standstill)
	s.signal("bind-1", syscall.SIGCONT)
	s.end(stopped)

	s.line.Cut()
	s.begin(cutLine)
	s.fire(slowGateway)
	s.shopsAre("gateway", "closed")
	s.end(slowGateway)
	s.begin(closedGateway)
	s.shopsAre("printer", "out of paper")
	s.begin(noPaper)

	s.fire(cutLine, hungMail, flakyRates, aheadClock)
	s.line.Mend()
	s.end(cutLine)
	s.shopsAre("rates", "")
	s.is("archive-1", "clock", "0s")
	s.end(flakyRates, aheadClock)

	s.kill("mail-1")
	s.begin(killedMail)
	s.end(hungMail, killedMail)
	s.fire(killedMail) // whoever takes over counts that; it should not be one of the next to die

	s.must(errands.Start(s.ctx, s.office.engine, errand{Activity: parse.Name(), N: 1}))
	s.begin(poisoned)
	s.dies("frag-1")
	s.start("frag-2")
	s.dies("frag-2")
	s.end(poisoned)
	s.fire(noLedger, noColour, noExporter, stopped, noPaper, poisoned)
}

// recovery puts right what is still wrong.
func (s *stage) recovery() {
	s.fire(closedGateway)
	s.shopsAre("gateway", "")
	s.shopsAre("printer", "")
	s.end(noPaper)
	s.start("late-1")
	s.end(noLedger, noColour, noExporter)
	replayed, err := s.office.engine.ReplayAll(s.ctx, core.DeadLetterFilter{Queue: "billing"})
	if err != nil {
		s.t.Fatal(err)
	}
	discarded, err := s.office.engine.DiscardAll(s.ctx, core.DeadLetterFilter{Step: printInvoice.Name()})
	if err != nil {
		s.t.Fatal(err)
	}
	s.end(closedGateway)
	s.say("%d dead letters are replayed, %d discarded", replayed.Done, discarded.Done)
	s.resolve(slowGateway, flakyRates, noPaper, noLedger, noColour, noExporter, hungMail, killedMail, poisoned, stopped, cutLine, aheadClock)
	s.resolve(closedGateway)
}

// blindness is last, since it hides everything.
func (s *stage) blindness() {
	s.allAre("metrics", "hidden")
	s.begin(blind)
	s.fire(blind)
	s.allAre("metrics", "")
	s.end(blind)
	s.resolve(blind)
}

// kill ends a process with SIGKILL.
func (s *stage) kill(name string) {
	s.running[name].Kill()
	s.gone(name)
}

// dies lets a process die of the upload that it has, once all three ways have told that it has it.
func (s *stage) dies(name string) {
	s.t.Helper()
	query := fmt.Sprintf(`count(stent_tasks_claimed_total{instance=%q,queue="fragile",step=%q} > 0)`, name, parse.Name())
	s.eventually(time.Minute, func() error {
		found, err := s.prometheus.query(s.ctx, query, time.Now())
		if err == nil && (len(found) != 1 || int(found[0].Value) != len(jobs)) {
			err = fmt.Errorf("%s: %v, want %d", query, found, len(jobs))
		}
		return err
	})
	s.is(name, "upload", "read")
	s.gone(name)
}

// gone waits until a process has ended. Its statsd_exporter ends with it: it would show its last gauges for ever.
func (s *stage) gone(name string) {
	s.eventually(30*second, func() error {
		select {
		case <-s.running[name].Ended():
			return nil
		default:
			return fmt.Errorf("%s lives", name)
		}
	})
	s.beside[name].Kill()
	s.say("%s is dead", name)
}

func (s *stage) must(_ any, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
