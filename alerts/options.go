package alerts

import (
	"strings"
	"time"

	"github.com/stentgo/stent/internal/promql"
)

// Options fit the rules to where they are used. The zero value is what the files in this folder were made with.
type Options struct {
	// Selector are matchers that every query gets, as they stand between braces: `job="orders"`. Default none.
	Selector string
	// Keep are the labels that tell one database from another. Nil is namespace; a Prometheus that watches one database
	// needs none, which is an empty slice.
	Keep []string
	// Labels are added to each alert: who it is for, say.
	Labels map[string]string
	// Severities overrule an alert's severity, by its name: critical, warning, or what the receiver knows.
	Severities map[string]string
	// For overrules how long an alert's condition has to hold before it fires, by its name.
	For map[string]time.Duration
	// Disabled are names of alerts that are left out.
	Disabled []string

	Thresholds Thresholds
	Windows    Windows

	// Scale multiplies every duration in the rules: windows, ages, how long a condition has to hold. At 1.0/60 a minute
	// is a second, for a drill that shows in a minute what takes an hour. Default 1.
	Scale float64

	// RunbookURL is the folder of the runbooks. Default: that of this repository on GitHub.
	RunbookURL string
	// GrafanaURL is where the dashboards are. Default http://localhost:3000.
	GrafanaURL string
	// UIDPrefix is that of the dashboards. Default "stent-".
	UIDPrefix string
}

// Thresholds are the values beyond which alerts fire. A zero means the default.
type Thresholds struct {
	QueueDepth     int           // tasks that wait in a growing queue; 100
	QueueAge       time.Duration // how long the oldest of them has waited; 5m
	WaitLong       time.Duration // how long a task may wait at all in a queue that is served; 30m
	DeadLettersNew int           // new dead letters in Windows.Events that are not worth an alert; 0
	DeadLetters    int           // dead letters that are there; 10
	FailureRatio   float64       // share of finished tasks that failed for good; 0.05
	RetryRatio     float64       // share of attempts that are tried again; 0.5
	ExecutionRatio float64       // share of finished executions that failed or timed out; 0.1
	Traffic        int           // tasks or attempts in Windows.Ratio below which no share is taken seriously; 20
	Executions     int           // the same of executions; 5
	Wedged         time.Duration // how long a full worker may be without progress; 15m
	BackendErrors  int           // errors of the database in Windows.Ratio that are not worth an alert; 5
	ClockSkew      time.Duration // how far clocks may be apart; 5s; not scaled
	SampleAge      time.Duration // how old the sampled gauges may be; 2m
}

// Windows are the stretches of time that alerts look back over. A zero means the default. Each has to be at least four
// scrapes long.
type Windows struct {
	Ratio   time.Duration // of shares and of errors; 5m
	Growth  time.Duration // in which a queue has to have grown; 15m
	Stalled time.Duration // in which nothing of a queue ended; 15m
	Events  time.Duration // in which an event counts: a dead letter, a lost lease; 15m
}

// DefaultRunbookURL is where the runbooks are read.
const DefaultRunbookURL = "https://github.com/stentgo/stent/blob/main/alerts/runbooks"

// WithDefaults is the options with the default in place of every zero.
func (o Options) WithDefaults() Options {
	if o.Keep == nil {
		o.Keep = []string{"namespace"}
	}
	orElse(&o.Scale, 1)
	orElse(&o.RunbookURL, DefaultRunbookURL)
	orElse(&o.GrafanaURL, "http://localhost:3000")
	orElse(&o.UIDPrefix, "stent-")
	o.RunbookURL, o.GrafanaURL = strings.TrimSuffix(o.RunbookURL, "/"), strings.TrimSuffix(o.GrafanaURL, "/")

	t := &o.Thresholds
	orElse(&t.QueueDepth, 100)
	orElse(&t.QueueAge, 5*time.Minute)
	orElse(&t.WaitLong, 30*time.Minute)
	orElse(&t.DeadLetters, 10)
	orElse(&t.FailureRatio, 0.05)
	orElse(&t.RetryRatio, 0.5)
	orElse(&t.ExecutionRatio, 0.1)
	orElse(&t.Traffic, 20)
	orElse(&t.Executions, 5)
	orElse(&t.Wedged, 15*time.Minute)
	orElse(&t.BackendErrors, 5)
	orElse(&t.ClockSkew, 5*time.Second)
	orElse(&t.SampleAge, 2*time.Minute)

	w := &o.Windows
	orElse(&w.Ratio, 5*time.Minute)
	orElse(&w.Growth, 15*time.Minute)
	orElse(&w.Stalled, 15*time.Minute)
	orElse(&w.Events, 15*time.Minute)
	return o
}

func orElse[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// scaled is a duration in the time of the rules.
func (o Options) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * o.Scale)
}

// window is a duration as queries have it.
func (o Options) window(d time.Duration) string { return promql.Duration(o.scaled(d)) }

// seconds is a duration that is compared with an age.
func (o Options) seconds(d time.Duration) float64 { return o.scaled(d).Seconds() }
