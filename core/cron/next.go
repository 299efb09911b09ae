package cron

import "time"

// The clock of a place is a line of stretches of time, in each of which it is ahead of UTC by the same offset. A wall time
// is what it shows, in seconds as if it were UTC.

// stretch is one of them, in seconds since 1970.
type stretch struct {
	start, end int64 // it is [start, end); the least and the greatest number where there is none
	offset     int64
	before     int64 // the offset before start; the same where there is no start
}

const (
	never = 1<<63 - 1
	minim = -never
)

func (s *Schedule) stretchAt(at int64) stretch {
	t := time.Unix(at, 0).In(s.location)
	_, offset := t.Zone()
	z := stretch{start: minim, end: never, offset: int64(offset), before: int64(offset)}
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		z.start = start.Unix()
		_, before := time.Unix(z.start-1, 0).In(s.location).Zone()
		z.before = int64(before)
	}
	if !end.IsZero() {
		z.end = end.Unix()
	}
	return z
}

func (s *Schedule) nextTime(after time.Time) time.Time {
	for at := after.Unix() + 1; ; {
		z := s.stretchAt(at)
		if at == z.start && s.fixed && s.skipped(z) {
			return time.Unix(at, 0).In(s.location)
		}
		wall, ok := s.nextWall(at + z.offset)
		if !ok {
			return time.Time{}
		}
		switch tick := wall - z.offset; {
		case tick >= z.end:
			at = z.end
		case s.fixed && z.start != minim && wall < z.start+z.before: // the clock showed this before it was set back
			at = z.start + z.before - z.offset
		default:
			return time.Unix(tick, 0).In(s.location)
		}
	}
}

// skipped tells whether the clock was set forward over a time that fits, at the start of a stretch.
func (s *Schedule) skipped(z stretch) bool {
	if z.offset <= z.before {
		return false
	}
	wall, ok := s.nextWall(z.start + z.before)
	return ok && wall < z.start+z.offset
}

// horizon is for how many years a time that fits is looked for. The longest wait is that for a 29th of February on a
// certain day of the week, over a year like 2100 that has none: 40 years.
const horizon = 41

// nextWall is the first wall time that fits, at or after one.
func (s *Schedule) nextWall(from int64) (int64, bool) {
	t := time.Unix(from+59, 0).UTC().Truncate(time.Minute)
	hour, minute := t.Hour(), t.Minute()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	for last := t.Year() + horizon; day.Year() <= last; hour, minute = 0, 0 {
		if !s.month.has(int(day.Month())) {
			day = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		if s.fits(day) {
			if h, m, ok := s.timeOfDay(hour, minute); ok {
				return day.Unix() + int64(h)*3600 + int64(m)*60, true
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return 0, false
}

// fits tells whether a day of a month that fits does.
func (s *Schedule) fits(day time.Time) bool {
	inMonth, inWeek := s.day.has(day.Day()), s.weekday.has(int(day.Weekday()))
	if s.eitherDay {
		return inMonth || inWeek
	}
	return inMonth && inWeek
}

// timeOfDay is the first time that fits, at or after one of the same day.
func (s *Schedule) timeOfDay(hour, minute int) (h, m int, ok bool) {
	for h := hour; h < 24; h, minute = h+1, 0 {
		if !s.hour.has(h) {
			continue
		}
		for m := minute; m < 60; m++ {
			if s.minute.has(m) {
				return h, m, true
			}
		}
	}
	return 0, 0, false
}
