package drill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// prometheus asks the API of the real one.
type prometheus struct{ url string }

// series is what a query answers for one set of labels; of a range, the values over time.
type series struct {
	Metric map[string]string
	Value  point
	Values []point
}

// labels are those of a series, in order.
func (s *series) labels() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.Metric)) {
		value := s.Metric[name]
		if bound, err := strconv.ParseFloat(value, 64); err == nil && name == "le" {
			value = strconv.FormatFloat(bound, 'g', -1, 64) // it is 5.0 of what is scraped, and 5 of what comes by OTLP
		}
		if value != "" {
			all = append(all, name+"="+value)
		}
	}
	return strings.Join(all, ",")
}

// point is a value; JSON has it as a pair of a number and a text.
type point float64

func (p *point) UnmarshalJSON(data []byte) error {
	var pair [2]any
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(fmt.Sprint(pair[1]), 64)
	*p = point(v)
	return err
}

func (p *prometheus) ask(ctx context.Context, path string, params url.Values, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/v1/"+path, strings.NewReader(params.Encode()))
	if len(params) == 0 {
		request, err = http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/"+path, http.NoBody)
	}
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body := struct {
		Status, Error string
		Data          any
	}{Data: answer}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.Status != "success" {
		return fmt.Errorf("prometheus: %s %s: %s %s: %w", path, params, response.Status, body.Error, err)
	}
	return nil
}

type result struct{ Result []series }

// query asks for the values at one moment.
func (p *prometheus) query(ctx context.Context, expr string, at time.Time) ([]series, error) {
	var r result
	err := p.ask(ctx, "query", url.Values{"query": {expr}, "time": {unix(at)}}, &r)
	return r.Result, err
}

// queryRange asks for the values of a stretch of time, one a second.
func (p *prometheus) queryRange(ctx context.Context, expr string, from, to time.Time) ([]series, error) {
	var r result
	err := p.ask(ctx, "query_range", url.Values{"query": {expr}, "start": {unix(from)}, "end": {unix(to)}, "step": {"1"}}, &r)
	return r.Result, err
}

func unix(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

// rule is an alert rule that Prometheus has loaded.
type rule struct {
	Type     string
	Name     string
	Labels   map[string]string
	Duration float64 // seconds that its condition has to hold
	State    string  // inactive, pending, firing
	Health   string
	Error    string `json:"lastError"`
}

func (r *rule) hold() time.Duration { return time.Duration(r.Duration * float64(time.Second)) }

// alertRules are all that Prometheus has loaded.
func (p *prometheus) alertRules(ctx context.Context) ([]rule, error) {
	var answer struct{ Groups []struct{ Rules []rule } }
	if err := p.ask(ctx, "rules", nil, &answer); err != nil {
		return nil, err
	}
	var all []rule
	for _, g := range answer.Groups {
		for _, r := range g.Rules {
			if r.Health == "err" {
				return nil, fmt.Errorf("prometheus: rule %s: %s", r.Name, r.Error)
			}
			if r.Type == "alerting" {
				all = append(all, r)
			}
		}
	}
	return all, nil
}
