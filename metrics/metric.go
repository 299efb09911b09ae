package metrics

import "slices"

// Metric describes one metric. The values of this package are not to be changed.
type Metric struct {
	// Name is the metric's name in Prometheus, with its unit and, on counters, _total at the end.
	Name string
	Kind Kind
	Unit Unit
	// Help says what is counted or measured, in one sentence without a full stop at the end.
	Help string
	// Labels are the names of its labels, in order. One that [Budgeted] names takes values that users choose.
	Labels []string
	// Buckets are the upper bounds of a histogram's buckets, in its unit; nil for other kinds.
	Buckets []float64
	Source  Source

	// OTel is the name of the instrument in OpenTelemetry. An OpenTelemetry exporter for Prometheus makes Name of it
	// and of the unit.
	OTel string
	// StatsD are the paths below the prefix; the first that applies is used.
	StatsD []Path
}

// Kind is how a metric's values behave.
type Kind string

const (
	Counter   Kind = "counter"   // only grows, but for a restart of its process
	Gauge     Kind = "gauge"     // goes up and down
	Histogram Kind = "histogram" // counts observations in buckets
)

// Unit is what a metric is measured in, as OpenTelemetry writes units (UCUM): braces are an annotation and stand for a
// number of things.
type Unit string

// The units that occur.
const (
	Seconds      Unit = "s"
	Bytes        Unit = "By"
	NoUnit       Unit = ""
	Tasks        Unit = "{task}"
	Executions   Unit = "{execution}"
	DeadLettered Unit = "{dead_letter}"
	Leases       Unit = "{lease}"
	Writes       Unit = "{write}"
	Claims       Unit = "{claim}"
	Commands     Unit = "{command}"
	Errors       Unit = "{error}"
	Slots        Unit = "{slot}"
	Workers      Unit = "{worker}"
	Rows         Unit = "{row}"
	Events       Unit = "{event}"
	Values       Unit = "{value}"
)

// Source is where a metric's values come from, and with it which processes have it and how it is to be aggregated.
type Source string

const (
	// Event metrics count what this process did. Sum them over processes.
	Event Source = "event"
	// Process gauges tell how this process stands. Sum them over processes, or look at each.
	Process Source = "process"
	// Sampled gauges are read from the database, by every process that samples it: all of these export the same value.
	// Take the maximum over processes, never the sum.
	Sampled Source = "sample"
)

// Path is where a metric goes in StatsD. {queue} and the like stand for the value of a label, made harmless; {host} for
// the name of the machine.
type Path struct {
	Template string
	// Label and Value say when the path applies: when the metric's label has that value. Always, where Label is "".
	Label, Value string
}

// The names of labels.
const (
	LabelQueue     = "queue"     // the task's queue; "default" where none was given
	LabelStep      = "step"      // the name of the activity, or, of an orchestrator, of the workflow
	LabelKind      = "kind"      // orchestrator, activity
	LabelRetrying  = "retrying"  // true, false
	LabelResult    = "result"    // see the metric
	LabelWorkflow  = "workflow"  // the workflow's name
	LabelState     = "state"     // a state of executions or of workers
	LabelOperation = "operation" // what the database was asked to do: commit, claim, history, sample, ...
	LabelReason    = "reason"    // see the metric
	LabelLabel     = "label"     // the name of a label
	LabelVersion   = "version"   // the version of Stent that the program was built with
	LabelBackend   = "backend"   // sqlite, postgres
)

// Budgeted are the labels whose values users choose, so that recorders keep only so many of each (200 by default) and
// fold the rest into [Other].
var Budgeted = []string{LabelQueue, LabelStep, LabelWorkflow}

// Other is the value into which a recorder folds those that are beyond its budget.
const Other = "other"

// DefaultBudget is how many values of a label a recorder keeps apart.
const DefaultBudget = 200

// HasLabel tells whether the metric has a label of that name.
func (m Metric) HasLabel(name string) bool { return slices.Contains(m.Labels, name) }

// Find returns the metric of a Prometheus name. For a histogram the names of its series, with _bucket, _sum or _count,
// find it too.
func Find(name string) (Metric, bool) {
	for _, m := range All() {
		if m.Name == name {
			return m, true
		}
		if m.Kind == Histogram && (name == m.Name+"_bucket" || name == m.Name+"_sum" || name == m.Name+"_count") {
			return m, true
		}
	}
	return Metric{}, false
}
