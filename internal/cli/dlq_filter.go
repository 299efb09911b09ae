package cli

import (
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/stentgo/stent/core"
)

// letterFilter is the flags by which dead letters are chosen.
type letterFilter struct {
	core.DeadLetterFilter
	since, olderThan string
}

func (f *letterFilter) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&f.Workflow, "workflow", "", "only those of executions of a workflow")
	flags.StringVar(&f.Step, "step", "", "only those of a step: the name of an activity or workflow")
	flags.StringVar(&f.Queue, "queue", "", "only those of a queue")
	flags.StringVar(&f.Fingerprint, "fingerprint", "", "only those that failed for the same reason; see `stent dlq groups`")
	flags.Lookup("fingerprint").Usage = strings.ReplaceAll(flags.Lookup("fingerprint").Usage, "`", "\"")
	flags.StringVar(&f.since, "since", "", "only those that were moved since a `time`, or so long ago: 90s, 2d, 2024-01-15")
	flags.StringVar(&f.olderThan, "older-than", "", "only those that were moved so long ago, or longer: a `duration` such as 2d")
}

var fingerprints = regexp.MustCompile(`^[0-9a-f]{12}$`)

// chosen is the filter that the flags say.
func (f *letterFilter) chosen(now time.Time, zone *time.Location) (core.DeadLetterFilter, error) {
	filter := f.DeadLetterFilter
	if filter.Fingerprint != "" && !fingerprints.MatchString(filter.Fingerprint) {
		return filter, usagef("--fingerprint %q: want 12 hexadecimal digits, as `stent dlq groups` shows them", filter.Fingerprint)
	}
	var err error
	if filter.MovedSince, err = since(f.since, now, zone); err != nil {
		return filter, err
	}
	if f.olderThan != "" {
		d, err := core.ParseDuration(f.olderThan)
		if err != nil {
			return filter, usagef("--older-than: %w", err)
		}
		filter.MovedBefore = now.Add(-d)
	}
	return filter, nil
}
