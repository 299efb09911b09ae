// Package cron reads cron expressions and tells when they tick.
//
// An expression has five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or jan-dec) and day of
// the week (0-7 or sun-sat; 0 and 7 are Sunday). A field is *, a value, a range (1-5), a step over either (*/15, 8-18/2), or
// a list of these (1,15,20-25). In place of the fields stand @hourly, @daily (or @midnight), @weekly, @monthly, @yearly (or
// @annually), or @every with a duration: "@every 90s", "@every 1d12h". In front may stand CRON_TZ=Europe/Berlin and a blank.
//
// The rules are those of crontab(5) and cron(8) of cronie, the descendant of Vixie's cron that Linux has
// (https://github.com/cronie-crond/cronie):
//
//   - Where both the day of the month and the day of the week are restricted, a day that fits either ticks. A field that
//     begins with * is not restricted.
//   - When clocks are set forward, a tick whose time is skipped comes at once, at the first moment after the gap; several
//     such are one. When clocks are set back, a time that comes twice ticks the first time only.
//   - But an expression whose minute or hour begins with * is about intervals, not about times of the day: it ticks at each
//     minute that fits as the clock shows it, no more in a gap and again in the repeated hour.
//
// Unlike cronie, which takes a jump of three hours or more for a correction of the clock, this holds for gaps of any size.
//
// @every counts from 1970-01-01 00:00 UTC, so that all programs agree on its ticks, and "@every 1h" ticks on the hour.
package cron
