package cron_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stentgo/stent/core/cron"
)

func parse(t *testing.T, expression, place string) *cron.Schedule {
	t.Helper()
	s, err := cron.Parse(expression, place)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ticks are the first ticks after a time, as local times with their zone.
func ticks(s *cron.Schedule, after time.Time, n int) (list []string) {
	for t := s.Next(after); len(list) < n && !t.IsZero(); t = s.Next(t) {
		list = append(list, t.Format("2006-01-02 15:04 MST"))
	}
	return list
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name, expression, place, after string
		want                           []string
	}{
		{"each minute", "* * * * *", "", "2026-01-01T00:00:00Z", []string{"2026-01-01 00:01 UTC", "2026-01-01 00:02 UTC"}},
		{"strictly after", "5 * * * *", "", "2026-01-01T00:05:00Z", []string{"2026-01-01 01:05 UTC"}},
		{"within the second before", "5 * * * *", "", "2026-01-01T00:04:59.999999Z", []string{"2026-01-01 00:05 UTC"}},
		{"steps", "*/20 8-18/5 * * *", "", "2026-01-01T13:30:00Z", []string{"2026-01-01 13:40 UTC", "2026-01-01 18:00 UTC", "2026-01-01 18:20 UTC", "2026-01-01 18:40 UTC", "2026-01-02 08:00 UTC"}},
		{"names", "0 9 * JAN-mar Mon", "", "2026-03-28T00:00:00Z", []string{"2026-03-30 09:00 UTC", "2027-01-04 09:00 UTC"}},
		{"seven is Sunday", "0 0 * * 5-7", "", "2026-01-01T00:00:00Z", []string{"2026-01-02 00:00 UTC", "2026-01-03 00:00 UTC", "2026-01-04 00:00 UTC", "2026-01-09 00:00 UTC"}},
		{"up to Sunday", "0 0 * * fri-sun", "", "2026-01-03T00:00:00Z", []string{"2026-01-04 00:00 UTC", "2026-01-09 00:00 UTC"}},
		{"either day", "0 0 13 * 5", "", "2026-01-01T00:00:00Z", []string{"2026-01-02 00:00 UTC", "2026-01-09 00:00 UTC", "2026-01-13 00:00 UTC", "2026-01-16 00:00 UTC"}},
		{"both days, where one begins with a star", "0 0 */2 * 5", "", "2026-01-01T00:00:00Z", []string{"2026-01-09 00:00 UTC", "2026-01-23 00:00 UTC"}},
		{"a short month is passed over", "0 0 31 * *", "", "2026-01-31T00:00:00Z", []string{"2026-03-31 00:00 UTC", "2026-05-31 00:00 UTC"}},
		{"leap days", "0 0 29 2 *", "", "2096-02-29T00:00:00Z", []string{"2104-02-29 00:00 UTC", "2108-02-29 00:00 UTC"}},
		{"a leap day on a Sunday, over 2100", "0 0 29 2 */7", "", "2088-03-01T00:00:00Z", []string{"2128-02-29 00:00 UTC"}},
		{"@weekly", "@weekly", "", "2026-01-01T00:00:00Z", []string{"2026-01-04 00:00 UTC"}},
		{"@Daily elsewhere", "@Daily", "Asia/Tokyo", "2026-01-01T00:00:00Z", []string{"2026-01-02 00:00 JST"}},
		{"the place in front", "CRON_TZ=Asia/Tokyo 30 5 * * *", "", "2026-01-01T00:00:00Z", []string{"2026-01-02 05:30 JST"}},
		{"@every on the hour", "@every 1h", "", "2026-01-01T00:12:13Z", []string{"2026-01-01 01:00 UTC", "2026-01-01 02:00 UTC"}},
		{"@every with days", "@every 1d12h", "", "1970-01-01T00:00:00Z", []string{"1970-01-02 12:00 UTC", "1970-01-04 00:00 UTC"}},
		{"@every before 1970", "@every 1h", "", "1969-12-31T23:30:00Z", []string{"1970-01-01 00:00 UTC"}},

		// 2026-03-29 at 02:00 the clocks in Berlin go to 03:00, and on 2026-10-25 at 03:00 to 02:00.
		{"a time in the gap comes at its end", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29 03:00 CEST", "2026-03-30 02:30 CEST"}},
		{"times in the gap are one", "0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", []string{"2026-03-29 03:00 CEST", "2026-03-29 03:30 CEST", "2026-03-30 02:00 CEST"}},
		{"a time that comes twice ticks once", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"}},
		{"also when asked in between", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", []string{"2026-10-26 02:30 CET"}},
		{"an interval goes on in the repeated hour", "*/30 2 * * *", "Europe/Berlin", "2026-10-24T22:00:00Z", []string{"2026-10-25 02:00 CEST", "2026-10-25 02:30 CEST", "2026-10-25 02:00 CET", "2026-10-25 02:30 CET", "2026-10-26 02:00 CET"}},
		{"and has nothing in the gap", "*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-30 02:00 CEST"}},
		{"each hour stays each hour", "0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", []string{"2026-10-25 02:00 CEST", "2026-10-25 02:00 CET", "2026-10-25 03:00 CET"}},
		{"a gap of half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", []string{"2026-10-04 02:30 +11", "2026-10-05 02:15 +11"}},
		{"midnight in the gap", "0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", []string{"2026-03-29 01:00 EEST", "2026-03-30 00:00 EEST"}},
		{"a day that a place has skipped", "0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", []string{"2011-12-29 12:00 -10", "2011-12-31 00:00 +14", "2011-12-31 12:00 +14"}},
		{"midnight at the end of summer time", "0 0 * * *", "America/Havana", "2026-10-31T12:00:00Z", []string{"2026-11-01 00:00 CDT", "2026-11-02 00:00 CST"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			after, err := time.Parse(time.RFC3339Nano, c.after)
			if err != nil {
				t.Fatal(err)
			}
			got := ticks(parse(t, c.expression, c.place), after, len(c.want))
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ expression, place, want string }{
		{"", "", "it is empty: want five fields"},
		{"  ", "", "it is empty"},
		{"* * * *", "", "4 fields: want five"},
		{"0 * * * * *", "", "there is no field for seconds; for less than a minute write @every 10s"},
		{"60 * * * *", "", `minute "60": 60 is out of range: want 0 to 59`},
		{"* 24 * * *", "", `hour "24": 24 is out of range: want 0 to 23`},
		{"* * 0 * *", "", `day of the month "0": 0 is out of range: want 1 to 31`},
		{"* * * foo *", "", `month "foo": "foo": want 1 to 12 or jan to dec`},
		{"* * * * mon-funday", "", `day of the week "mon-funday": "funday": want 0 to 7 or sun to sat`},
		{"* * * * sat-mon", "", "the range sat-mon runs backwards: write sat-6,0-mon"},
		{"50-10 * * * *", "", "write 50-59,0-10"},
		{"5/10 * * * *", "", "a step over the single value 5: want a range, such as 5-59/10"},
		{"*/0 * * * *", "", `the step "0": want 1 to 59`},
		{"*/60 * * * *", "", `the step "60": want 1 to 59`},
		{"*/x * * * *", "", `the step "x"`},
		{"1,,2 * * * *", "", "a value is missing"},
		{"-5 * * * *", "", "a value is missing"},
		{"+5 * * * *", "", "out of range"},
		{"* * ? * *", "", "? is of another cron: write *"},
		{"* * L * *", "", "and nothing else"},
		{"* * 15W * *", "", "and nothing else"},
		{"0 0 30 2 *", "", "the months that it names have 29 days, so that it would never tick: want a day from 1 to 29"},
		{"0 0 31 2,4,6,9,11 *", "", "want a day from 1 to 30"},
		{"@reboot", "", "@reboot is not known: want @hourly"},
		{"@every", "", "is no duration"},
		{"@every soon", "", `@every: "soon" is no duration: want one such as 90s, 15m, 1h30m or 2d`},
		{"@every -1h", "", "is no duration"},
		{"@every 500ms", "", "too short"},
		{"@every 1500ms", "", "no whole number of seconds"},
		{"* * * * *", "Mars/Olympus", `the location "Mars/Olympus" is not known`},
		{"* * * * *", "Local", "differs from machine to machine"},
		{"CRON_TZ=Asia/Tokyo * * * * *", "Europe/Berlin", "give one of them"},
		{"CRON_TZ=Asia/Tokyo", "", "it is empty"},
	} {
		_, err := cron.Parse(c.expression, c.place)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q in %q: error is %v, want %q in it", c.expression, c.place, err, c.want)
		}
	}
}

func TestLatest(t *testing.T) {
	day := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		expression   string
		after, until time.Time
		most         int
		want         []time.Time
	}{
		{"@daily", day.AddDate(0, 0, -3), day, 10, []time.Time{day.AddDate(0, 0, -2), day.AddDate(0, 0, -1), day}},
		{"@daily", day.AddDate(0, 0, -3), day, 2, []time.Time{day.AddDate(0, 0, -1), day}},
		{"@daily", day.AddDate(-50, 0, 0), day, 1, []time.Time{day}},
		{"@daily", day, day.Add(time.Hour), 5, nil},
		{"@daily", day, day, 5, nil},
		{"@daily", day.AddDate(0, 0, -3), day, 0, nil},
		{"0 0 29 2 *", day.AddDate(-9, 0, 0), day, 5, []time.Time{time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}},
		{"0 0 29 2 *", time.Time{}, day, 1, []time.Time{time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}},
	} {
		got := parse(t, c.expression, "").Latest(c.after, c.until, c.most)
		same := len(got) == len(c.want)
		for i := range got {
			same = same && got[i].Equal(c.want[i])
		}
		if !same {
			t.Errorf("%s after %v until %v, at most %d: got %v, want %v", c.expression, c.after, c.until, c.most, got, c.want)
		}
	}
}
