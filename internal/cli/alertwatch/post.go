package alertwatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Poster hands alerts to Alertmanager's API, version 2. It is for one goroutine.
type Poster struct {
	url    string
	client *http.Client
	// sent are the alerts that Alertmanager was told of and not yet that they ended.
	sent map[string]Active
}

// NewPoster makes a poster for the Alertmanager at an address such as http://localhost:9093.
func NewPoster(address string, client *http.Client) (*Poster, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the address of Alertmanager: want http://host:9093")
	}
	return &Poster{url: strings.TrimSuffix(address, "/") + "/api/v2/alerts", client: client, sent: map[string]Active{}}, nil
}

// posted is an alert as Alertmanager takes it.
type posted struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// Post tells Alertmanager what fires, and of what it was told before that it has ended. What fires ends by itself after
// the time given, unless it is posted again: so that a watcher that dies leaves no alert behind. What could not be told is
// told the next time.
func (p *Poster) Post(ctx context.Context, at time.Time, active []Active, ends time.Duration) error {
	firing := map[string]Active{}
	var list []posted
	for _, a := range active {
		if a.Firing {
			firing[key(a.Labels)] = a
			list = append(list, a.posted(at.Add(ends)))
		}
	}
	for k, a := range p.sent {
		if _, still := firing[k]; !still {
			list = append(list, a.posted(at))
		}
	}
	if len(list) == 0 {
		return nil
	}
	if err := p.post(ctx, list); err != nil {
		maps.Copy(p.sent, firing) // it may have come through
		return err
	}
	p.sent = firing
	return nil
}

func (a Active) posted(ends time.Time) posted {
	return posted{
		Labels: a.Labels, StartsAt: a.Since, EndsAt: ends,
		Annotations: map[string]string{"summary": a.Summary, "description": a.Description, "runbook_url": a.Runbook},
	}
}

func (p *Poster) post(ctx context.Context, list []posted) error {
	body, err := json.Marshal(list)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return fmt.Errorf("post %d alerts to Alertmanager: %w", len(list), err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return fmt.Errorf("post %d alerts to Alertmanager: %s: %s", len(list), response.Status, bytes.TrimSpace(said))
	}
	return nil
}
