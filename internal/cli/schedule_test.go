package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// tellSchedules puts schedules, pauses one, and lets one tick.
func (h *history) tellSchedules() {
	h.t.Helper()
	ctx := h.t.Context()
	h.clock.at(h.t, "11:00:00")
	e, err := core.New(h.db)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range []struct {
		core.Schedule
		core.ScheduledStart
	}{
		{
			core.Schedule{Name: "nightly", Cron: "30 2 * * *", Location: "Europe/Berlin", Overlap: core.OverlapSkip},
			core.ScheduledStart{Workflow: "nightly_report", Queue: "billing", Input: []byte(`{"of": "all"}`), MaxDuration: 2 * time.Hour},
		},
		{core.Schedule{Name: "probe", Cron: "@every 10m", CatchUp: core.CatchUpAll, CatchUpMost: 6}, core.ScheduledStart{Workflow: "probe"}},
		{core.Schedule{Name: "yearly", Cron: "@yearly"}, core.ScheduledStart{Workflow: "order_workflow"}},
	} {
		if err := e.PutSchedule(ctx, s.Schedule, s.ScheduledStart, core.By("anna@shop")); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := e.PauseSchedule(ctx, "yearly", core.By("anna@shop")); err != nil {
		h.t.Fatal(err)
	}
	list, err := h.db.Schedules(ctx, backend.ScheduleFilter{Name: "nightly"})
	if err != nil || len(list.Schedules) != 1 {
		h.t.Fatal(list, err)
	}
	s := list.Schedules[0]
	start := s.Start
	start.ID = "nightly/2024-01-15T01:30:00Z"
	ticked, err := h.db.Tick(ctx, &backend.Tick{
		Schedule: "nightly", Revision: s.Revision, Starts: []*backend.Start{&start}, Next: s.Next, Skipped: 2,
		LastTick: time.Date(2024, 1, 15, 1, 30, 0, 0, time.UTC), LastExecution: start.ID,
	})
	if err != nil || !ticked {
		h.t.Fatal(ticked, err)
	}
}

func TestScheduleGolden(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		b.golden(t, "schedule_list_none", []string{"schedule", "list"}, h.run("schedule", "list"))
		h.tellSchedules()
		for _, c := range scheduleCases {
			b.golden(t, c.name, c.args, byMe(h.run(c.args...)))
		}
	})
}

var scheduleCases = []struct {
	name string
	args []string
}{
	{"schedule_list", []string{"schedule", "list"}},
	{"schedule_list_json", []string{"schedule", "list", "--json"}},
	{"schedule_show", []string{"schedule", "show", "nightly"}},
	{"schedule_unknown", []string{"schedule", "show", "nightli"}},
	{"help_schedule_put", []string{"schedule", "put", "--help"}},
	{"schedule_put_new", []string{"schedule", "put", "new", "--cron", "@daily"}},
	{"schedule_put_wrong", []string{"schedule", "put", "probe", "--cron", "0 0 30 2 *"}},
	{"schedule_put_again", []string{"schedule", "put", "yearly", "--queue", "slow"}},
}

// TestScheduleChange changes one schedule in every way.
func TestScheduleChange(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellSchedules()
		shape := func(args ...string) (s scheduleShape) {
			t.Helper()
			r := h.run(append(append([]string{"schedule"}, args...), "--json")...)
			if err := json.Unmarshal([]byte(r.stdout), &s); err != nil || r.code != exitOK {
				t.Fatalf("%q: exit code %d, %v\n%s%s", args, r.code, err, r.stdout, r.stderr)
			}
			return s
		}
		made := shape("put", "made", "--workflow", "nightly_report", "--cron", "30 2 * * *", "--location", "Europe/Berlin", "--queue", "billing",
			"--input", `{"of": "all"}`, "--overlap", "skip", "--max-duration", "2h")
		before := shape("show", "nightly")
		if made.Name != "made" || made.Cron != before.Cron || made.Location != before.Location || made.Queue != before.Queue || made.Overlap != before.Overlap ||
			*made.MaxDuration != 7200 || !made.NextAt.Equal(*before.NextAt) {
			t.Errorf("made %+v", made)
		}
		s := shape("put", "nightly", "--cron", "0 4 * * mon-fri", "--tag", "big", "--priority", "3")
		if s.Cron != "0 4 * * mon-fri" || s.Location != "Europe/Berlin" || s.Queue != "billing" || s.Priority != 3 || s.Tags[0] != "big" ||
			s.Overlap != "skip" || *s.MaxDuration != 7200 || *s.LastExecution != *before.LastExecution || !s.Running || len(s.Upcoming) != 5 {
			t.Errorf("%+v", s)
		}
		if s := shape("put", "probe", "--catch-up", "one"); s.CatchUpMost != nil || s.CatchUp != "one" || !s.NextAt.Equal(*shape("show", "probe").NextAt) {
			t.Errorf("%+v", s)
		}
		if s := shape("pause", "nightly"); s.State != "paused" || *s.PausedBy != actor() || s.NextAt != nil || len(s.Upcoming) != 0 {
			t.Errorf("%+v", s)
		}
		var began scheduleTriggerShape
		if err := json.Unmarshal([]byte(h.run("schedule", "trigger", "nightly", "--json").stdout), &began); err != nil || !strings.HasPrefix(began.ExecutionID, "nightly/") {
			t.Errorf("%+v, %v", began, err)
		}
		x, err := h.db.Execution(t.Context(), began.ExecutionID)
		if err != nil || x.Workflow != "nightly_report" || string(x.Input) != `{"of": "all"}` || x.Priority != 3 || x.Deadline.IsZero() {
			t.Errorf("%+v, %v", x, err)
		}
		if s := shape("resume", "nightly"); s.State != "active" || s.PausedBy != nil || s.NextAt == nil {
			t.Errorf("%+v", s)
		}
		if r := h.run("schedule", "resume", "nightly"); !strings.HasPrefix(r.stdout, "Resumed nightly: it ticks next at 20") {
			t.Errorf("%q %q", r.stdout, r.stderr)
		}
		if r := h.run("schedule", "delete", "nightly"); r.code != exitOK || r.stdout != "Deleted nightly.\n" {
			t.Errorf("%q %q", r.stdout, r.stderr)
		}
		for _, verb := range []string{"pause", "resume", "trigger", "delete"} {
			if r := h.run("schedule", verb, "nightly"); r.code != exitError || !strings.Contains(r.stderr, `there is no schedule "nightly": `+"`stent schedule list`") {
				t.Errorf("%s: exit code %d, %q", verb, r.code, r.stderr)
			}
		}
	})
}

// TestDoctorFindsSchedules: one that nobody makes tick, one whose workflow nobody has, one that cannot be read.
func TestDoctorFindsSchedules(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		if r := h.run("doctor"); strings.Contains(r.stdout, "schedules") {
			t.Errorf("without any it says\n%s", r.stdout)
		}
		h.tellSchedules()
		list, err := h.db.Schedules(t.Context(), backend.ScheduleFilter{Name: "yearly"})
		if err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(s *backend.Schedule){
			"late": func(s *backend.Schedule) { s.Next = list.Now.Add(-time.Hour) },
			"strange": func(s *backend.Schedule) {
				s.Rule, s.Next = []byte(`{"cron":"@daily","location":"Mars"}`), list.Now.Add(time.Hour)
			},
		} {
			s := list.Schedules[0]
			s.Name, s.Revision, s.PausedAt = name, 0, time.Time{}
			change(&s)
			if ok, err := h.db.PutSchedule(t.Context(), s, backend.AuditEntry{}); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		r := h.run("doctor")
		if r.code != exitError {
			t.Errorf("exit code %d", r.code)
		}
		for _, text := range []string{
			"problem  schedules     late should have ticked 1h00m ago, and no worker has made it",
			"warning  schedules     nightly begins nightly_report in billing, which no live worker takes from there",
			"problem  schedules     strange cannot tick here",
		} {
			if !strings.Contains(r.stdout, text) {
				t.Errorf("does not say %q:\n%s", text, r.stdout)
			}
		}
	})
}
