// Command exposition reads a page of metrics by Prometheus' own parser, and writes what it found as lines of JSON.
//
//	exposition CONTENT-TYPE < page
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// entry is a sample, or the type of a family.
type entry struct {
	Type      string            `json:"type,omitempty"`
	Family    string            `json:"family,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"` // __name__ among them
	Value     float64           `json:"value"`
	Exemplars []sample          `json:"exemplars,omitempty"`
}

type sample struct {
	Labels map[string]string `json:"labels"`
	Value  float64           `json:"value"`
}

func main() {
	if err := run(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(contentType string, in io.Reader, out io.Writer) error {
	page, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	p, err := textparse.New(page, contentType, nil, textparse.ParserOptions{})
	if err != nil {
		return err
	}
	to := json.NewEncoder(out)
	for {
		kind, err := p.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch kind {
		case textparse.EntryType:
			family, t := p.Type()
			err = to.Encode(entry{Family: string(family), Type: string(t)})
		case textparse.EntrySeries:
			var l labels.Labels
			p.Labels(&l)
			_, _, value := p.Series()
			e := entry{Labels: l.Map(), Value: value}
			for x := (exemplar.Exemplar{}); p.Exemplar(&x); {
				e.Exemplars = append(e.Exemplars, sample{x.Labels.Map(), x.Value})
			}
			err = to.Encode(e)
		}
		if err != nil {
			return err
		}
	}
}
