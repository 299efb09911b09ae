package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// httpService is the service over HTTP.
type httpService struct {
	base   string
	client *http.Client
}

func (s *httpService) Begin(ctx context.Context, key, table string) (string, error) {
	var answer struct{ ID string }
	err := s.call(ctx, http.MethodPost, "/exports?"+url.Values{"table": {table}, "key": {key}}.Encode(), &answer)
	return answer.ID, err
}

func (s *httpService) Poll(ctx context.Context, id string) (string, int, error) {
	var answer struct {
		URL  string
		Rows int
	}
	err := s.call(ctx, http.MethodGet, "/exports/"+url.PathEscape(id), &answer)
	return answer.URL, answer.Rows, err
}

func (s *httpService) call(ctx context.Context, method, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return json.NewDecoder(resp.Body).Decode(answer)
	case http.StatusAccepted:
		return &laterError{errNotYet, retryAfter(resp.Header, time.Second)}
	case http.StatusTooManyRequests:
		return &laterError{errBusy, retryAfter(resp.Header, 10*time.Second)}
	case http.StatusNotFound:
		return errUnknown
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, body)
}

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds, or a date.
func retryAfter(h http.Header, otherwise time.Duration) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return otherwise
}
