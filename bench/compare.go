package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/stentgo/stent/internal/pgtest"
)

// plan is what all commands that measure have in common.
type plan struct {
	rounds  int
	length  time.Duration
	engines *regexp.Regexp
	rows    *regexp.Regexp
	quick   bool
	out     string
}

func (p *plan) flags(name, out string) *flag.FlagSet {
	f := flag.NewFlagSet("bench "+name, flag.ContinueOnError)
	f.IntVar(&p.rounds, "rounds", 5, "how often each is measured; the median counts")
	f.DurationVar(&p.length, "for", 2*time.Second, "how long a round lasts")
	f.BoolVar(&p.quick, "quick", false, "small sizes and one short round, to see that all works")
	f.StringVar(&p.out, "o", out, "the file to write; - for the terminal")
	p.engines, p.rows = regexp.MustCompile(""), regexp.MustCompile("")
	f.Func("engines", "only engines whose name matches this expression", setRegexp(&p.engines))
	f.Func("rows", "only rows whose name matches this expression", setRegexp(&p.rows))
	return f
}

func setRegexp(to **regexp.Regexp) func(string) error {
	return func(text string) (err error) {
		*to, err = regexp.Compile(text)
		return err
	}
}

func (p *plan) parse(f *flag.FlagSet, args []string) error {
	if err := f.Parse(args); err != nil {
		return err
	}
	if p.quick {
		p.rounds, p.length = 1, 500*time.Millisecond
	}
	if p.rounds < 1 || f.NArg() > 0 {
		return errors.New("want at least one round, and nothing but flags")
	}
	return nil
}

// withServer runs fn with a PostgreSQL.
func withServer(ctx context.Context, fn func(*server) error) (err error) {
	pg, err := pgtest.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.Close()) }()
	dir, err := os.MkdirTemp("", "stent-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return fn(&server{dsn: pg.DSN(), version: pg.Version(), dir: dir})
}

func (p *plan) roundsOf(w row) int {
	if w.once {
		return 1
	}
	return p.rounds
}

// compare measures all rows. A round is all engines of a row one after the other, so that what else happens on the
// machine meets all of them alike.
func compare(ctx context.Context, args []string) error {
	var p plan
	if err := p.parse(p.flags("compare", "RESULTS.md"), args); err != nil {
		return err
	}
	return withServer(ctx, func(s *server) error {
		var results []result
		for _, w := range rows {
			if !p.rows.MatchString(w.name) {
				continue
			}
			r := result{row: w}
			rounds := p.roundsOf(w)
			for round := range rounds {
				for _, e := range engines() {
					if !p.engines.MatchString(e.name) || !slices.Contains(e.kinds, w.kind) || r.missing(e.name) {
						continue
					}
					m, err := measureApart(ctx, s, e, w, p.length)
					if ctx.Err() != nil {
						return ctx.Err()
					}
					r.add(e, m, err)
					fmt.Fprintf(os.Stderr, "%-15s %-20s round %d of %d: %s\n", w.name, e.name, round+1, rounds, describe(m, err))
				}
			}
			results = append(results, r)
			if err := write(p.out, report(p, s, results)); err != nil { // after each row, so that an interrupted run is not lost
				return err
			}
		}
		return nil
	})
}

func describe(m measurement, err error) string {
	switch {
	case err != nil:
		return "failed: " + err.Error()
	case m.Missing:
		return "not had"
	}
	return fmt.Sprintf("%.0f/s", m.rate())
}

func write(file, text string) error {
	if file == "-" {
		_, err := fmt.Print(text)
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644) //nolint:gosec // it is for everybody to read
}

// result is a row with all that was measured.
type result struct {
	row     row
	engines []measured
}

type measured struct {
	engine engine
	all    []measurement
	failed error
	no     bool
}

func (r *result) of(name string) *measured {
	for i := range r.engines {
		if r.engines[i].engine.name == name {
			return &r.engines[i]
		}
	}
	return nil
}

// missing tells whether an engine has shown that it cannot do the row, so that it need not be asked again.
func (r *result) missing(name string) bool {
	m := r.of(name)
	return m != nil && (m.no || m.failed != nil)
}

func (r *result) add(e engine, m measurement, err error) {
	of := r.of(e.name)
	if of == nil {
		r.engines = append(r.engines, measured{engine: e})
		of = &r.engines[len(r.engines)-1]
	}
	switch {
	case err != nil:
		of.failed = err
	case m.Missing:
		of.no = true
	default:
		of.all = append(of.all, m)
	}
}

// median of some property of the rounds.
func (m *measured) median(of func(measurement) float64) float64 {
	if m == nil || len(m.all) == 0 {
		return 0
	}
	values := make([]float64, len(m.all))
	for i, x := range m.all {
		values[i] = of(x)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func (m *measured) rate() float64 { return m.median(measurement.rate) }

func (m *measured) per(of func(counters) float64) float64 {
	return m.median(func(x measurement) float64 { return of(x.PerOp) })
}
