package cron_test

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// oracle is the slow and plain reading of an expression of five fields with numbers only: it looks at the clock on the
// wall minute by minute.
type oracle struct {
	fields   []string
	location *time.Location
}

func (o oracle) fixed() bool { return o.fields[0][0] != '*' && o.fields[1][0] != '*' }

// fits tells whether a wall time, given as a UTC time with its digits, is one of the expression.
func (o oracle) fits(wall time.Time) bool {
	in := func(i, value int) bool {
		first := []int{0, 0, 1, 1, 0}[i]
		return slices.ContainsFunc(strings.Split(o.fields[i], ","), func(s string) bool { return within(s, value, first) })
	}
	if !in(0, wall.Minute()) || !in(1, wall.Hour()) || !in(3, int(wall.Month())) {
		return false
	}
	month := in(2, wall.Day())
	week := in(4, int(wall.Weekday())) || wall.Weekday() == time.Sunday && in(4, 7)
	if o.fields[2][0] != '*' && o.fields[4][0] != '*' {
		return month || week
	}
	return month && week
}

// within tells whether a value is one of a part of a list; * counts from the field's first value.
func within(item string, value, first int) bool {
	span, every, stepped := strings.Cut(item, "/")
	step := 1
	if stepped {
		step, _ = strconv.Atoi(every)
	}
	if span == "*" {
		return (value-first)%step == 0
	}
	from, to, ranged := strings.Cut(span, "-")
	first, _ = strconv.Atoi(from)
	last := first
	if ranged {
		last, _ = strconv.Atoi(to)
	}
	return value >= first && value <= last && (value-first)%step == 0
}

// ticks are those after a time, until another.
func (o oracle) ticks(after, until time.Time) (ticks []time.Time) {
	shown := map[time.Time]bool{} // what the clock has shown in the last days
	begin := after.Add(-72 * time.Hour).Truncate(time.Minute)
	before := o.wall(begin)
	for t := begin; !t.After(until); t = t.Add(time.Minute) {
		wall := o.wall(t)
		tick := o.fits(wall)
		if o.fixed() {
			tick = tick && !shown[wall]
			for skipped := before.Add(time.Minute); skipped.Before(wall); skipped = skipped.Add(time.Minute) {
				tick = tick || o.fits(skipped)
			}
		}
		shown[wall], before = true, wall
		if tick && t.After(after) {
			ticks = append(ticks, t)
		}
	}
	return ticks
}

func (o oracle) wall(t time.Time) time.Time {
	l := t.In(o.location)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
}
