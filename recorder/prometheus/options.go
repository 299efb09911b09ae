package prometheus

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
)

// New makes a recorder and registers it; nil means prometheus.DefaultRegisterer. Registering a second one with the same
// registry is an error, unless constant labels or the namespace tell them apart.
func New(registerer prom.Registerer, opts ...Option) (*Recorder, error) {
	var s settings
	for _, opt := range opts {
		if err := opt(&s); err != nil {
			return nil, fmt.Errorf("prometheus recorder: %w", err)
		}
	}
	values, err := budget.New(s.budget)
	if err != nil {
		return nil, fmt.Errorf("prometheus recorder: %w", err)
	}
	if registerer == nil {
		registerer = prom.DefaultRegisterer
	}
	r := &Recorder{
		samplesOnly: s.samples, exemplar: s.exemplar, budget: values, gatherer: prom.DefaultGatherer, instruments: newInstruments(&s),
	}
	r.makeCaches()
	if g, ok := registerer.(prom.Gatherer); ok {
		r.gatherer = g
	}
	if err := registerer.Register(r); err != nil {
		var already prom.AlreadyRegisteredError
		if errors.As(err, &already) {
			return nil, fmt.Errorf("prometheus recorder: another recorder is registered with this registry: share it, or tell the two apart "+
				"by WithConstLabels: %w", err)
		}
		return nil, fmt.Errorf("prometheus recorder: register: %w", err)
	}
	return r, nil
}

// Option is an option of [New].
type Option func(*settings) error

type settings struct {
	namespace string
	labels    prom.Labels
	native    bool
	exemplar  Exemplar
	budget    int
	samples   bool
}

func (s *settings) name(m metrics.Metric) string { return prom.BuildFQName(s.namespace, "", m.Name) }

var (
	validNamespace = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	validLabel     = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

// WithNamespace puts a word in front of every name: "acme" makes acme_stent_tasks_claimed_total. Default none. The
// dashboards and rules that come with Stent ask for the names without one.
func WithNamespace(namespace string) Option {
	return func(s *settings) error {
		if !validNamespace.MatchString(namespace) {
			return fmt.Errorf("namespace %q: want letters, digits and underscores, and no digit in front", namespace)
		}
		s.namespace = namespace
		return nil
	}
}

// WithConstLabels adds labels to every metric, for example to tell two databases apart.
func WithConstLabels(labels map[string]string) Option {
	return func(s *settings) error {
		for name := range labels {
			if !validLabel.MatchString(name) || len(name) > 1 && name[:2] == "__" {
				return fmt.Errorf("constant label %q: want letters, digits and underscores, and no digit and no __ in front", name)
			}
			for _, m := range metrics.All() {
				if slices.Contains(m.Labels, name) || name == "le" {
					return fmt.Errorf("constant label %q: %s has a label of that name", name, m.Name)
				}
			}
		}
		s.labels = labels
		return nil
	}
}

// WithNativeHistograms adds native histograms to the classic ones. A Prometheus that scrapes them (it has to be told to)
// keeps only these unless scrape_classic_histograms (in Prometheus 3: always_scrape_classic_histograms) is set, and then
// queries for buckets, as those of the dashboards, find nothing.
func WithNativeHistograms() Option {
	return func(s *settings) error {
		s.native = true
		return nil
	}
}

// WithSamplesOnly shows only what is read from the database, and not what this process does: for a program that works on
// no tasks, whose zeros would say nothing.
func WithSamplesOnly() Option {
	return func(s *settings) error {
		s.samples = true
		return nil
	}
}

// Exemplar finds the ids of the trace and span that a context belongs to, in lower-case hex; false where there is none
// or it is not sampled.
type Exemplar func(ctx context.Context) (traceID, spanID string, ok bool)

// WithExemplars lets the histograms of tasks and executions point to traces. With Stent's own spans that is
// WithExemplars(stentotel.SampledSpan); with others of OpenTelemetry:
//
//	stentprom.WithExemplars(func(ctx context.Context) (string, string, bool) {
//		span := trace.SpanContextFromContext(ctx)
//		return span.TraceID().String(), span.SpanID().String(), span.IsSampled()
//	})
//
// Exemplars are part of OpenMetrics: Prometheus asks for that once its feature exemplar-storage is on.
func WithExemplars(f Exemplar) Option {
	return func(s *settings) error {
		s.exemplar = f
		return nil
	}
}

// WithBudget sets how many values of each of the labels queue, step and workflow are kept apart; the rest are counted
// as "other". Default 0: 200.
func WithBudget(values int) Option {
	return func(s *settings) error {
		if values < 0 {
			return fmt.Errorf("a budget of %d values a label: want 0 (for %d) or more", values, metrics.DefaultBudget)
		}
		s.budget = values
		return nil
	}
}
