package cron

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// set is a set of numbers from 0 to 63.
type set uint64

func (s set) has(n int) bool { return s>>n&1 == 1 }

// field is how one of the five is written.
type field struct {
	name        string
	first, last int
	names       []string // of the values from first on; nil where they have none
	wraps       bool     // the last value is the first one again: Sunday is 0 and 7
}

var fields = [5]field{
	{name: "minute", first: 0, last: 59},
	{name: "hour", first: 0, last: 23},
	{name: "day of the month", first: 1, last: 31},
	{name: "month", first: 1, last: 12, names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day of the week", first: 0, last: 7, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, wraps: true},
}

func (s *Schedule) parseFields(text string) error {
	parts := strings.Fields(text)
	if len(parts) != len(fields) {
		return fmt.Errorf("%d fields: want five, of minute, hour, day of the month, month and day of the week%s", len(parts), sixFields(parts))
	}
	var sets [5]set
	var stars [5]bool
	for i, part := range parts {
		var err error
		if sets[i], err = fields[i].parse(part); err != nil {
			return fmt.Errorf("%s %q: %w", fields[i].name, part, err)
		}
		stars[i] = part[0] == '*'
	}
	s.minute, s.hour, s.day, s.month, s.weekday = sets[0], sets[1], sets[2], sets[3], sets[4]
	if s.weekday.has(7) {
		s.weekday |= 1
	}
	s.fixed = !stars[0] && !stars[1]
	s.eitherDay = !stars[2] && !stars[4]
	return s.possible()
}

// sixFields helps who knows a cron with seconds.
func sixFields(parts []string) string {
	if len(parts) == 6 {
		return " (there is no field for seconds; for less than a minute write @every 10s)"
	}
	return ""
}

// possible refuses days that no month has: the expression would never tick.
func (s *Schedule) possible() error {
	if s.eitherDay {
		return nil // any weekday comes in any month
	}
	longest := 0
	for m, days := range [...]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31} {
		if s.month.has(m) {
			longest = max(longest, days)
		}
	}
	if bits.TrailingZeros64(uint64(s.day)) <= longest {
		return nil
	}
	return fmt.Errorf("day of the month: the months that it names have %d days, so that it would never tick: want a day from 1 to %d", longest, longest)
}

func (f *field) parse(text string) (set, error) {
	var all set
	for item := range strings.SplitSeq(text, ",") {
		s, err := f.item(item)
		if err != nil {
			return 0, err
		}
		all |= s
	}
	return all, nil
}

// item reads one part of a list: *, a value or a range, and a step over it.
func (f *field) item(text string) (set, error) {
	span, every, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		n, err := strconv.Atoi(every)
		if err != nil || n < 1 || n > f.last {
			return 0, fmt.Errorf("the step %q: want 1 to %d", every, f.last)
		}
		step = n
	}
	first, last, err := f.span(span)
	if err != nil {
		return 0, err
	}
	if stepped && span != "*" && !strings.Contains(span, "-") {
		return 0, fmt.Errorf("a step over the single value %s: want a range, such as %s-%d/%s", span, span, f.last, every)
	}
	var s set
	for n := first; n <= last; n += step {
		s |= 1 << n
	}
	return s, nil
}

// span reads *, a value or a range.
func (f *field) span(text string) (first, last int, err error) {
	if text == "*" {
		if f.wraps {
			return f.first, f.last - 1, nil
		}
		return f.first, f.last, nil
	}
	from, to, ranged := strings.Cut(text, "-")
	if first, err = f.value(from); err != nil || !ranged {
		return first, first, err
	}
	if last, err = f.value(to); err != nil {
		return 0, 0, err
	}
	if f.wraps && last == 0 && first > 0 {
		last = f.last // up to Sunday
	}
	if first > last {
		return 0, 0, fmt.Errorf("the range %s runs backwards: write %s-%d,%d-%s", text, from, f.end(), f.first, to)
	}
	return first, last, nil
}

// end is the last value that is not the first one again.
func (f *field) end() int {
	if f.wraps {
		return f.last - 1
	}
	return f.last
}

func (f *field) value(text string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(text, name) {
			return f.first + i, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err == nil && n >= f.first && n <= f.last && text[0] != '+' && text[0] != '-' {
		return n, nil
	}
	switch {
	case text == "":
		return 0, fmt.Errorf("a value is missing: want %s, * for all, or a list such as %d,%d", f.values(), f.first, f.first+1)
	case text == "?":
		return 0, fmt.Errorf("? is of another cron: write *")
	case err != nil:
		return 0, fmt.Errorf("%q: want %s; there are ranges (a-b), steps (*/n, a-b/n) and lists (a,b), and nothing else", text, f.values())
	}
	return 0, fmt.Errorf("%s is out of range: want %s", text, f.values())
}

func (f *field) values() string {
	s := fmt.Sprintf("%d to %d", f.first, f.last)
	if f.names != nil {
		s += fmt.Sprintf(" or %s to %s", f.names[0], f.names[len(f.names)-1])
	}
	return s
}
