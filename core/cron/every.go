package cron

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// shortest is the least time between two ticks: that between two ticks of an interval is a whole number of seconds.
const shortest = time.Second

func (s *Schedule) parseEvery(text string) error {
	d, err := duration(text)
	switch {
	case err != nil:
		return fmt.Errorf("@every: %w", err)
	case d < shortest:
		return fmt.Errorf("@every: %v is too short: want 1s or more", d)
	case d%time.Second != 0:
		return fmt.Errorf("@every: %v is no whole number of seconds", d)
	}
	s.every = d
	return nil
}

var days = regexp.MustCompile(`^(\d{1,5})d`)

// duration reads what [time.ParseDuration] reads, with days in front.
func duration(text string) (time.Duration, error) {
	var whole time.Duration
	rest := text
	if m := days.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		if whole, rest = time.Duration(n)*24*time.Hour, text[len(m[0]):]; rest == "" {
			return whole, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration: want one such as 90s, 15m, 1h30m or 2d", text)
	}
	return whole + d, nil
}

// nextEvery is the first whole multiple of the interval since 1970 after a time.
func (s *Schedule) nextEvery(after time.Time) time.Time {
	seconds := int64(s.every / time.Second)
	n := after.Unix() / seconds
	if after.Unix()%seconds < 0 { // before 1970, division rounds towards it
		n--
	}
	return time.Unix((n+1)*seconds, 0).In(s.location)
}
