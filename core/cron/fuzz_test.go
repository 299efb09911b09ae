package cron_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/cron"
)

// FuzzParse looks for expressions at which Parse panics, or whose next tick is not after the time that was asked for.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"* * * * *", "*/5 1-3 1,15 jan-mar mon", "@daily", "@every 90s", "CRON_TZ=Europe/Berlin 30 2 * * *", "0 0 30 2 *", "59 23 31 12 7"} {
		f.Add(s, int64(1774745999))
	}
	f.Fuzz(func(t *testing.T, expression string, at int64) {
		s, err := cron.Parse(expression, "")
		if err != nil {
			return
		}
		after := time.Unix(at%(1<<33), 0)
		if next := s.Next(after); !next.After(after) {
			t.Fatalf("%q: the tick after %v is %v", expression, after, next)
		}
	})
}

// around are times near which the clocks of a place change.
var around = []struct{ place, date string }{
	{"Europe/Berlin", "2026-03-29"}, {"Europe/Berlin", "2026-10-25"}, {"America/New_York", "2026-03-08"}, {"America/New_York", "2026-11-01"},
	{"Australia/Lord_Howe", "2026-04-05"}, {"Australia/Lord_Howe", "2026-10-04"}, {"Antarctica/Troll", "2026-03-29"}, {"Antarctica/Troll", "2026-10-25"},
	{"Asia/Beirut", "2026-03-29"}, {"America/Havana", "2026-11-01"}, {"Pacific/Apia", "2011-12-30"}, {"America/St_Johns", "2006-10-29"}, {"America/St_Johns", "2007-03-11"},
	{"Africa/Casablanca", "2026-02-15"}, {"Africa/Casablanca", "2026-03-22"}, {"Asia/Kathmandu", "2026-02-28"}, {"UTC", "2024-02-29"}, {"America/Sao_Paulo", "2018-11-04"},
}

// FuzzNext compares with the oracle, near changes of the clocks.
func FuzzNext(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		a := around[random.IntN(len(around))]
		location, err := time.LoadLocation(a.place)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.ParseInLocation(time.DateOnly, a.date, location)
		if err != nil {
			t.Fatal(err)
		}
		expression := randomExpression(random)
		s, err := cron.Parse(expression, a.place)
		if err != nil {
			if strings.Contains(err.Error(), "never tick") {
				return
			}
			t.Fatal(err)
		}
		const span = 3 * 24 * time.Hour
		o := oracle{strings.Fields(expression), location}
		after := day.Add(-36*time.Hour + time.Duration(random.IntN(int(48*time.Hour/time.Second)))*time.Second)
		until := after.Add(span)
		at := after
		for _, want := range o.ticks(after, until) {
			got := s.Next(at)
			if !got.Equal(want) {
				t.Fatalf("%q in %s: the tick after %v is %v, want %v", expression, a.place, at, got, want)
			}
			at = got
		}
		if got := s.Next(at); !got.After(until) {
			t.Fatalf("%q in %s: the tick after %v is %v, and the oracle knows none", expression, a.place, at, got)
		}
		if all := s.Latest(after, until, 3); len(all) > 0 && !all[len(all)-1].Equal(at) {
			t.Fatalf("%q in %s: the latest ticks in (%v, %v] are %v, want up to %v", expression, a.place, after, until, all, at)
		}
	})
}

// randomExpression makes five fields that tick often enough to be seen in a few days.
func randomExpression(random *rand.Rand) string {
	field := func(first, last, stars int) string {
		var parts []string
		for range 1 + random.IntN(3) {
			low := first + random.IntN(last-first+1)
			high := low + random.IntN(last-low+1)
			switch random.IntN(4 + stars) {
			case 0:
				parts = append(parts, fmt.Sprint(low))
			case 1:
				parts = append(parts, fmt.Sprintf("%d-%d", low, high))
			case 2:
				parts = append(parts, fmt.Sprintf("%d-%d/%d", low, high, 1+random.IntN(last)))
			case 3:
				parts = append(parts, fmt.Sprintf("*/%d", 1+random.IntN(last)))
			default:
				parts = append(parts, "*")
			}
		}
		return strings.Join(parts, ",")
	}
	return strings.Join([]string{field(0, 59, 1), field(0, 4, 1), field(1, 31, 8), field(1, 12, 20), field(0, 7, 8)}, " ")
}
