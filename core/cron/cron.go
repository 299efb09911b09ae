package cron

import (
	"fmt"
	"strings"
	"time"
)

// Schedule is an expression that was read. It is immutable, and safe for concurrent use.
type Schedule struct {
	every time.Duration // of @every; 0 for fields

	minute, hour, day, month, weekday set

	fixed     bool // it names times of the day: neither minute nor hour begins with *
	eitherDay bool // a day fits that fits one of day and weekday

	location    *time.Location
	text, place string // as they were given
}

// Parse reads an expression, whose fields are about the time in a place, such as "Europe/Berlin"; "" and "UTC" are UTC. A
// CRON_TZ= in front of the expression says the same, and must not differ. "Local" is refused, as programs on two machines
// would differ. An expression that never ticks, such as the 30th of February, is an error.
func Parse(expression, place string) (*Schedule, error) {
	s := &Schedule{text: strings.TrimSpace(expression), place: place}
	if err := s.parse(); err != nil {
		return nil, fmt.Errorf("cron %q: %w", expression, err)
	}
	return s, nil
}

func (s *Schedule) parse() error {
	text := s.text
	if zone, ok := strings.CutPrefix(text, "TZ="); ok {
		text = "CRON_TZ=" + zone
	}
	if zone, ok := strings.CutPrefix(text, "CRON_TZ="); ok {
		place, rest, _ := strings.Cut(zone, " ")
		if s.place != "" && s.place != place {
			return fmt.Errorf("CRON_TZ is %q and the location %q: give one of them", place, s.place)
		}
		s.place, text = place, strings.TrimSpace(rest)
	}
	var err error
	if s.location, err = load(s.place); err != nil {
		return err
	}
	switch {
	case text == "":
		return fmt.Errorf("it is empty: want five fields, such as \"30 2 * * *\" for half past two each day, or @daily, or @every 10m")
	case strings.HasPrefix(text, "@every"):
		return s.parseEvery(strings.TrimSpace(strings.TrimPrefix(text, "@every")))
	case strings.HasPrefix(text, "@"):
		fields, ok := nicknames[strings.ToLower(text)]
		if !ok {
			return fmt.Errorf("%s is not known: want @hourly, @daily, @weekly, @monthly, @yearly or @every with a duration", text)
		}
		text = fields
	}
	return s.parseFields(text)
}

var nicknames = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

func load(place string) (*time.Location, error) {
	switch place {
	case "", "UTC":
		return time.UTC, nil
	case "Local":
		return nil, fmt.Errorf("the location Local differs from machine to machine: name it, such as Europe/Berlin")
	}
	l, err := time.LoadLocation(place)
	if err != nil {
		return nil, fmt.Errorf("the location %q is not known here (%w): want a name of the IANA time zone database, such as Europe/Berlin; "+
			"a program without that database imports time/tzdata", place, err)
	}
	return l, nil
}

// Next is the first tick after a time; the zero time if there is none, which does not happen before the year 2400.
func (s *Schedule) Next(after time.Time) time.Time {
	if s.every > 0 {
		return s.nextEvery(after)
	}
	return s.nextTime(after)
}

// String is the expression as it was given, without blanks around it.
func (s *Schedule) String() string { return s.text }

// Location is where the fields are meant; UTC for @every, which needs none.
func (s *Schedule) Location() *time.Location { return s.location }

// Latest are the last ticks in (after, until], at most so many, oldest first.
func (s *Schedule) Latest(after, until time.Time, most int) []time.Time {
	if most < 1 || !until.After(after) {
		return nil
	}
	// The ticks are looked for from the end: in a time that is doubled until there are enough of them.
	for span := time.Minute; ; span *= 2 {
		from := until.Add(-span)
		whole := !from.After(after) || span > longest
		if whole {
			from = after
		}
		var ticks []time.Time
		for t := s.Next(from); !t.IsZero() && !t.After(until); t = s.Next(t) {
			ticks = append(ticks, t)
		}
		if whole || len(ticks) >= most {
			return ticks[max(len(ticks)-most, 0):]
		}
	}
}

// longest is the most time that is doubled.
const longest = 100 * 365 * 24 * time.Hour
