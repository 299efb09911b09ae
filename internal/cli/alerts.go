package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/core"
)

func (a *app) alertsCommand() *cobra.Command {
	var (
		out, format, datasource string
		flags                   alertFlags
	)
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Write alert rules, or evaluate them on the database",
		Long: `Write alert rules and an example for Alertmanager.

  prometheus   a rule file, for rule_files in prometheus.yml
  operator     a PrometheusRule, for the Prometheus operator on Kubernetes
  grafana      a provisioning file, for rules that Grafana itself evaluates

Without Prometheus, "stent alerts watch" evaluates what can be told from the database, and posts it to Alertmanager.`,
		Example: `  stent alerts --out rules
  stent alerts --out rules --selector 'job="orders"' --queue-depth 5000 --for StentQueueGrowing=30m
  stent alerts --out rules --format operator --severity StentRetryStorm=info --label team=shop`,
		Args: noSuchCommand,
		RunE: func(*cobra.Command, []string) error {
			o, err := flags.options()
			if err != nil {
				return err
			}
			files := map[string][]byte{"alertmanager.yml": alerts.Alertmanager(o)}
			switch format {
			case "prometheus":
				files["stent.rules.yml"] = alerts.Prometheus(o)
			case "operator":
				files = map[string][]byte{"stent.prometheusrule.yml": alerts.Operator(o)}
			case "grafana":
				files = map[string][]byte{"stent.grafana.yml": alerts.Grafana(o, datasource)}
			default:
				return usagef("--format %q: want prometheus, operator or grafana", format)
			}
			return a.writeFiles(out, files)
		},
	}
	set := cmd.Flags()
	set.StringVar(&out, "out", "", "the `folder` to write to; it is made if it is missing")
	set.StringVar(&format, "format", "prometheus", "what reads the rules: prometheus, operator or grafana")
	set.StringVar(&datasource, "datasource", alerts.DatasourceUID, "the `uid` of the data source that Grafana's rules ask")
	set.StringVar(&flags.o.Selector, "selector", "", "`matchers` for every query, such as job=\"orders\"")
	set.Var(&flags.keep, "keep", "the `labels` that tell one database from another, separated by commas, or none (default namespace)")
	flags.windows(set)
	flags.thresholds(set)
	flags.identity(set)
	set.StringVar(&flags.o.GrafanaURL, "grafana-url", "", "the `address` of Grafana, for links to its dashboards (default http://localhost:3000)")
	set.StringVar(&flags.o.UIDPrefix, "uid-prefix", "", "the dashboards' `prefix` (default stent-)")
	completeWords(cmd, "format", []string{"prometheus", "operator", "grafana"})
	cmd.AddCommand(a.alertsWatchCommand())
	return cmd
}

// alertFlags are the flags that fit alerts to where they are used.
type alertFlags struct {
	o          alerts.Options
	keep       keepFlag
	severities map[string]string
	holds      map[string]string
}

// identity are the flags that say which alerts there are and for whom.
func (f *alertFlags) identity(set *pflag.FlagSet) {
	set.StringToStringVar(&f.severities, "severity", nil, "another severity for an alert, as `name=severity`; may be repeated")
	set.StringToStringVar(&f.holds, "for", nil, "how long an alert's condition has to hold, as `name=duration`; may be repeated")
	set.StringToStringVar(&f.o.Labels, "label", nil, "a label for every alert, as `name=value`; may be repeated")
	set.StringSliceVar(&f.o.Disabled, "disable", nil, "`names` of alerts to leave out")
	set.StringVar(&f.o.RunbookURL, "runbook-url", "", "the `address` of the folder of runbooks (default on GitHub)")
	set.Float64Var(&f.o.Scale, "scale", 1, "the `factor` of every duration; for drills in compressed time")
	for _, name := range []string{"severity", "for", "label"} {
		set.Lookup(name).DefValue = "" // not "[]"
	}
}

// thresholds are the flags of values beyond which alerts fire. Their defaults are the library's.
func (f *alertFlags) thresholds(set *pflag.FlagSet) {
	f.o.Thresholds = alerts.Options{}.WithDefaults().Thresholds
	t := &f.o.Thresholds
	number := func(p *int, name, usage string) { set.IntVar(p, name, *p, usage) }
	share := func(p *float64, name, usage string) { set.Float64Var(p, name, *p, usage) }
	long := func(p *time.Duration, name, usage string) { set.Var((*durationFlag)(p), name, usage) }
	number(&t.QueueDepth, "queue-depth", "how many `tasks` may wait in a queue that grows")
	long(&t.QueueAge, "queue-age", "how `long` the oldest of them may have waited")
	long(&t.WaitLong, "wait-long", "how `long` a task may wait in a queue that is served")
	number(&t.DeadLettersNew, "dead-letters-new", "how many new dead `letters` are not worth an alert")
	number(&t.DeadLetters, "dead-letters", "how many dead `letters` may be there")
	share(&t.FailureRatio, "failure-ratio", "the `share` of tasks that may fail for good")
	share(&t.RetryRatio, "retry-ratio", "the `share` of attempts that may be tried again")
	share(&t.ExecutionRatio, "execution-ratio", "the `share` of executions that may fail")
	number(&t.Traffic, "traffic", "how many `tasks` it takes for a share to be taken seriously")
	number(&t.Executions, "executions", "how many `executions` it takes")
	long(&t.Wedged, "wedged", "how `long` a full worker may be without progress")
	number(&t.BackendErrors, "backend-errors", "how many `errors` of the database are not worth an alert")
	long(&t.ClockSkew, "clock-skew", "how `far` the clocks of a process and its database may be apart")
	long(&t.SampleAge, "sample-age", "how `old` the gauges may be that come from the database")
}

// windows are the flags of the stretches of time that alerts look back over.
func (f *alertFlags) windows(set *pflag.FlagSet) {
	f.o.Windows = alerts.Options{}.WithDefaults().Windows
	w := &f.o.Windows
	set.Var((*durationFlag)(&w.Ratio), "ratio-window", "the `window` of shares and of errors of the database")
	set.Var((*durationFlag)(&w.Growth), "growth-window", "the `window` in which a queue has to have grown")
	set.Var((*durationFlag)(&w.Stalled), "stalled-window", "the `window` in which nothing of a queue ended")
	set.Var((*durationFlag)(&w.Events), "events-window", "the `window` in which a dead letter or a lost lease counts")
}

// options are what the flags say, or an error where they name an alert that there is not.
func (f *alertFlags) options() (alerts.Options, error) {
	o := f.o
	o.Keep, o.Severities, o.For = f.keep.labels(), f.severities, map[string]time.Duration{}
	known := func(flag, name string) error {
		if slices.Contains(alerts.Names(), name) {
			return nil
		}
		return usagef("--%s: there is no alert %q; there are: %s", flag, name, strings.Join(alerts.Names(), ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(f.severities)) {
		if err := known("severity", name); err != nil {
			return o, err
		}
	}
	for _, name := range o.Disabled {
		if err := known("disable", name); err != nil {
			return o, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.holds)) {
		if err := known("for", name); err != nil {
			return o, err
		}
		d, err := core.ParseDuration(f.holds[name])
		if err != nil {
			return o, usagef("--for %s=%s: want a duration such as 90s or 10m", name, f.holds[name])
		}
		o.For[name] = d
	}
	for name := range o.Labels {
		if !labelName.MatchString(name) {
			return o, usagef("--label %s: want a name of letters, digits and _", name)
		}
	}
	if !(o.Scale > 0 && o.Scale <= 1000) {
		return o, usagef("--scale %v: want a number above 0", o.Scale)
	}
	if o.Selector != "" && strings.ContainsAny(o.Selector, "{}") {
		return o, usagef("--selector %s: want matchers without braces, such as job=\"orders\"", strconv.Quote(o.Selector))
	}
	return o, nil
}

// durationFlag is a duration such as 90s, 10m or 2d, above 0.
type durationFlag time.Duration

func (d *durationFlag) String() string {
	s := time.Duration(*d).String() // 5m0s is 5m to a person
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
func (d *durationFlag) Type() string { return "duration" }
func (d *durationFlag) Set(s string) error {
	parsed, err := core.ParseDuration(s)
	if err != nil || parsed <= 0 {
		return fmt.Errorf("want a duration such as 90s, 10m or 2d")
	}
	*d = durationFlag(parsed)
	return nil
}
