package stent_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/cron"
)

var (
	reports  = core.NewWorkflow[string, string]("reports")
	goOn     = core.NewSignal[bool]("go_on")
	cautious = core.NewWorkflow[string, string]("cautious")
)

func reportHandlers(did *tally) []core.Handler {
	return []core.Handler{
		reports.Handle(func(flow *core.Flow, in string) (string, error) {
			tick, ok := flow.Tick()
			did.add(tick.Schedule)
			return fmt.Sprint(in, " ", tick.Schedule, " ", tick.At.Format(time.RFC3339), " ", ok), nil
		}),
		cautious.Handle(func(flow *core.Flow, in string) (string, error) {
			_, err := goOn.Receive(flow)
			return in, err
		}),
	}
}

// schedule puts a schedule of reports.
func (p *program) schedule(s core.Schedule) {
	p.w.Helper()
	if err := reports.PutSchedule(p.w.ctx(), p.Engine, s, "report"); err != nil {
		p.w.Fatal(err)
	}
}

// since makes a schedule look as if no worker had run since a tick.
func (p *program) since(name string, tick time.Time) {
	p.w.Helper()
	list, err := p.db.Schedules(p.w.ctx(), backend.ScheduleFilter{Name: name})
	if err != nil || len(list.Schedules) != 1 {
		p.w.Fatalf("%d schedules, %v", len(list.Schedules), err)
	}
	s := list.Schedules[0]
	s.Next = tick
	if written, err := p.db.PutSchedule(p.w.ctx(), s, backend.AuditEntry{}); err != nil || !written {
		p.w.Fatalf("written: %t, %v", written, err)
	}
}

// begunBy lists the executions of a schedule, oldest tick first.
func (p *program) begunBy(name string) (ids []string) {
	p.w.Helper()
	all, err := p.db.Executions(p.w.ctx(), backend.ExecutionFilter{IDPrefix: name + "/", Limit: 2000})
	if err != nil {
		p.w.Fatal(err)
	}
	for _, x := range all {
		ids = append(ids, x.ID)
	}
	slices.Sort(ids)
	return ids
}

func (p *program) scheduleStatus(name string) core.ScheduleStatus {
	p.w.Helper()
	s, err := p.ScheduleStatus(p.w.ctx(), name)
	if err != nil {
		p.w.Fatal(err)
	}
	return s
}

// caughtUp waits until nothing of a schedule is overdue.
func (p *program) caughtUp(name string) {
	p.w.Helper()
	p.w.eventually("schedule "+name+" has caught up", func() bool { return p.scheduleStatus(name).Next.After(time.Now()) })
}

func TestASchedulePutByAnotherProgramTicksSoon(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		// It renews its lease every three minutes, and looks for work as rarely: it is told.
		w.program(reportHandlers(&did)...).serve(core.WorkerConfig{Lease: 10 * time.Minute, PollInterval: 5 * time.Minute})
		operator := w.program()
		w.eventually("it has renewed its lease for the first time", func() bool {
			all, err := operator.db.Workers(w.ctx())
			return err == nil && len(all) == 1 && all[0].Renewed.After(all[0].Started)
		})
		operator.schedule(core.Schedule{Name: "quick", Cron: "@every 1s"})
		w.eventually("it has ticked twice", func() bool { return did.of("quick") >= 2 })
		id := operator.begunBy("quick")[0]
		out, err := reports.Attach(operator.Engine, id).Wait(w.ctx())
		if want := "report quick " + strings.TrimPrefix(id, "quick/") + " true"; err != nil || out != want {
			t.Errorf("the execution says %q, %v; want %q", out, err, want)
		}
	})
}

func TestTicksThatWereMissedAreCaughtUpAsTheScheduleSays(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		operator := w.program(reportHandlers(&did)...)
		began := time.Now()
		hourly := fmt.Sprintf("%d * * * *", (began.Minute()+30)%60) // which does not tick by itself in the course of this test
		operator.schedule(core.Schedule{Name: "one", Cron: hourly})
		operator.schedule(core.Schedule{Name: "skip", Cron: hourly, CatchUp: core.CatchUpSkip})
		operator.schedule(core.Schedule{Name: "all", Cron: hourly, CatchUp: core.CatchUpAll})
		operator.schedule(core.Schedule{Name: "some", Cron: hourly, CatchUp: core.CatchUpAll, CatchUpMost: 3})
		times, err := cron.Parse(hourly, "")
		if err != nil {
			t.Fatal(err)
		}
		missed := times.Latest(began.Add(-10*time.Hour), began, 100)
		for _, name := range []string{"one", "skip", "all", "some"} {
			operator.since(name, missed[0])
		}
		if s := operator.scheduleStatus("all"); !s.Overdue {
			t.Errorf("it is not said to be overdue: %+v", s)
		}
		for range 2 {
			w.program(reportHandlers(&did)...).serve(core.WorkerConfig{})
		}
		for name, want := range map[string]int{"one": 1, "skip": 0, "all": 10, "some": 3} {
			operator.caughtUp(name)
			var ids []string
			for _, at := range missed[len(missed)-want:] {
				ids = append(ids, name+"/"+at.Format(time.RFC3339))
			}
			if got := operator.begunBy(name); !slices.Equal(got, ids) {
				t.Errorf("%s: began %q, want %q", name, got, ids)
			}
		}
	})
}

func TestATickInTheGapOfSummerTimeComesOnceAndSoDoesOneInTheRepeatedHour(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		operator := w.program(reportHandlers(&did)...)
		// Four days around each change of 2024, and the same dates of all years since.
		operator.schedule(core.Schedule{Name: "spring", Cron: "30 2 29-31 3 *", Location: "Europe/Berlin", CatchUp: core.CatchUpAll, CatchUpMost: 1000})
		operator.schedule(core.Schedule{Name: "autumn", Cron: "30 2 26-28 10 *", Location: "Europe/Berlin", CatchUp: core.CatchUpAll, CatchUpMost: 1000})
		operator.since("spring", time.Date(2024, 3, 29, 1, 30, 0, 0, time.UTC))
		operator.since("autumn", time.Date(2024, 10, 26, 0, 30, 0, 0, time.UTC))
		w.program(reportHandlers(&did)...).serve(core.WorkerConfig{})
		for name, want := range map[string][]string{
			"spring": {"2024-03-29T01:30:00Z", "2024-03-30T01:30:00Z", "2024-03-31T01:00:00Z"},
			"autumn": {"2024-10-26T00:30:00Z", "2024-10-27T00:30:00Z", "2024-10-28T01:30:00Z"},
		} {
			operator.caughtUp(name)
			var got []string
			for _, id := range operator.begunBy(name) {
				if at := strings.TrimPrefix(id, name+"/"); strings.HasPrefix(at, "2024-") {
					got = append(got, at)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: began %q, want %q", name, got, want)
			}
		}
	})
}

func TestATickBeginsNothingWhileTheLastExecutionRunsIfItIsNotToOverlap(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p := w.program(reportHandlers(&did)...).serve(core.WorkerConfig{})
		err := cautious.PutSchedule(w.ctx(), p.Engine, core.Schedule{Name: "c", Cron: "@every 1s", Overlap: core.OverlapSkip}, "in")
		if err != nil {
			t.Fatal(err)
		}
		w.eventually("two ticks were skipped", func() bool { return p.scheduleStatus("c").Skipped >= 2 })
		begun := p.begunBy("c")
		if s := p.scheduleStatus("c"); len(begun) != 1 || !s.Running || s.LastExecution != begun[0] {
			t.Fatalf("began %q while the first runs; status %+v", begun, s)
		}
		if err := goOn.Send(w.ctx(), p.Engine, begun[0], true); err != nil {
			t.Fatal(err)
		}
		w.eventually("the next tick begins one", func() bool { return len(p.begunBy("c")) == 2 })
	})
}

func TestAScheduleIsPausedResumedChangedTriggeredAndDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		ctx := w.ctx()
		p := w.program(reportHandlers(&did)...).serve(core.WorkerConfig{})
		p.schedule(core.Schedule{Name: "s", Cron: "@hourly", Location: "Asia/Tokyo"})
		first := p.scheduleStatus("s")
		p.schedule(core.Schedule{Name: "s", Cron: "@hourly", Location: "Asia/Tokyo"})
		if again := p.scheduleStatus("s"); !again.Changed.Equal(first.Changed) {
			t.Error("to put the same again has changed it")
		}

		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(p.PauseSchedule(ctx, "s", core.By("anna")))
		must(p.PauseSchedule(ctx, "s", core.By("bert")))
		if s := p.scheduleStatus("s"); !s.Next.IsZero() || s.PausedAt.IsZero() || s.PausedBy != "anna" {
			t.Errorf("paused: %+v", s)
		}
		p.schedule(core.Schedule{Name: "s", Cron: "@every 1s"}) // which nobody sees while it is paused
		if s := p.scheduleStatus("s"); !s.Next.IsZero() || s.Cron != "@every 1s" {
			t.Errorf("changed while it is paused: %+v", s)
		}
		id, err := p.TriggerSchedule(ctx, "s", core.By("anna"))
		must(err)
		out, err := reports.Attach(p.Engine, id).Wait(ctx)
		if err != nil || !strings.HasPrefix(out, "report s ") || !strings.HasPrefix(id, "s/") {
			t.Errorf("%s was triggered: %q, %v", id, out, err)
		}
		if begun := p.begunBy("s"); len(begun) != 1 {
			t.Errorf("began while it is paused: %q", begun)
		}

		must(p.ResumeSchedule(ctx, "s", core.By("bert")))
		must(p.ResumeSchedule(ctx, "s", core.By("carl")))
		w.eventually("it ticks again", func() bool { return did.of("s") >= 3 })
		p.schedule(core.Schedule{Name: "s", Cron: "@yearly"})
		if s := p.scheduleStatus("s"); s.Next.Month() != 1 || s.Next.Day() != 1 || s.LastExecution == "" {
			t.Errorf("changed: %+v", s)
		}
		must(p.DeleteSchedule(ctx, "s", core.By("carl")))
		for what, err := range map[string]error{
			"pause":  p.PauseSchedule(ctx, "s"),
			"resume": p.ResumeSchedule(ctx, "s"),
			"delete": p.DeleteSchedule(ctx, "s"),
			"status": func() error { _, err := p.ScheduleStatus(ctx, "s"); return err }(),
		} {
			if !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%s of one that is gone: %v", what, err)
			}
		}
		var audit []string
		entries, err := p.Audit(ctx, backend.AuditFilter{Subject: "s"})
		must(err)
		for _, e := range entries {
			audit = append(audit, e.Actor+" "+e.Action)
		}
		want := []string{"carl delete_schedule", " put_schedule", "bert resume_schedule", "anna trigger_schedule", " put_schedule", "anna pause_schedule", " put_schedule"}
		if !slices.Equal(audit, want) {
			t.Errorf("audit %q, want %q", audit, want)
		}
	})
}

func TestABadScheduleIsRefusedWithAReason(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program()
		for _, c := range []struct {
			schedule core.Schedule
			options  []core.StartOption
			want     string
		}{
			{core.Schedule{Cron: "@daily"}, nil, "an empty name"},
			{core.Schedule{Name: strings.Repeat("x", 201), Cron: "@daily"}, nil, "201 bytes, want at most 200"},
			{core.Schedule{Name: "s", Cron: "0 0 30 2 *"}, nil, "would never tick"},
			{core.Schedule{Name: "s", Cron: "@daily", Location: "Mars"}, nil, `"Mars" is not known`},
			{core.Schedule{Name: "s", Cron: "@daily", CatchUp: "never"}, nil, "want one, all or skip"},
			{core.Schedule{Name: "s", Cron: "@daily", Overlap: "never"}, nil, "want allow or skip"},
			{core.Schedule{Name: "s", Cron: "@daily", CatchUp: core.CatchUpAll, Overlap: core.OverlapSkip}, nil, "choose one of them"},
			{core.Schedule{Name: "s", Cron: "@daily", CatchUpMost: 5}, nil, "that is for catch up all"},
			{core.Schedule{Name: "s", Cron: "@daily", CatchUp: core.CatchUpAll, CatchUpMost: 1001}, nil, "want 1 to 1000"},
			{core.Schedule{Name: "s", Cron: "@daily"}, []core.StartOption{core.ID("x")}, "those of a schedule have the tick's"},
		} {
			err := reports.PutSchedule(w.ctx(), p.Engine, c.schedule, "in", c.options...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: error is %v, want %q in it", c.schedule, err, c.want)
			}
		}
		if all, err := p.Schedules(w.ctx()); len(all) != 0 || err != nil {
			t.Errorf("%d schedules, %v", len(all), err)
		}
	})
}

// Worker processes come and are killed while a schedule ticks each second: no tick is left out and none comes twice.
func TestEachTickBeginsOneExecutionThoughProcessesAreKilled(t *testing.T) {
	const ticks, workers = 6, 3
	onEach(t, func(t *testing.T, w *world) {
		ledger := filepath.Join(t.TempDir(), "ledger")
		operator := w.program()
		s := core.Schedule{Name: "n", Cron: "@every 1s", CatchUp: core.CatchUpAll}
		if err := chained.PutSchedule(w.ctx(), operator.Engine, s, 1, core.Metadata(map[string]string{"k": "v"})); err != nil {
			t.Fatal(err)
		}
		var running []*exec.Cmd
		for range workers {
			running = append(running, w.workerIn(ledger))
		}
		w.eventually("it ticks while workers are killed", func() bool {
			i := rand.IntN(workers) //nolint:gosec // any of them
			<-time.After(300 * time.Millisecond)
			_ = running[i].Process.Kill()
			_ = running[i].Wait()
			running[i] = w.workerIn(ledger)
			return len(operator.begunBy("n")) >= ticks
		})
		if err := operator.PauseSchedule(w.ctx(), "n"); err != nil {
			t.Fatal(err)
		}
		begun := operator.begunBy("n")
		first, err := time.Parse(time.RFC3339, strings.TrimPrefix(begun[0], "n/"))
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range begun {
			if want := "n/" + first.Add(time.Duration(i)*time.Second).Format(time.RFC3339); id != want {
				t.Fatalf("tick %d is %s, want %s: %q", i, id, want, begun)
			}
			if out, err := chained.Attach(operator.Engine, id).Wait(w.ctx()); err != nil || out != 6 {
				t.Errorf("%s: %d, %v", id, out, err)
			}
		}
		x, err := operator.StateOf(w.ctx(), begun[0])
		if err != nil || x.Metadata["k"] != "v" || x.Metadata["stent_schedule"] != "n" {
			t.Errorf("metadata %v, %v", x.Metadata, err)
		}
		list, err := operator.db.Schedules(context.Background(), backend.ScheduleFilter{Name: "n"})
		if err != nil || list.Schedules[0].LastExecution != begun[len(begun)-1] {
			t.Errorf("the last is %+v, %v", list, err)
		}
		done := map[string]int{}
		for _, task := range w.entries(ledger) {
			done[task]++
		}
		if len(done) < 5*len(begun) {
			t.Errorf("%d activities ran of %d executions", len(done), len(begun))
		}
	})
}
