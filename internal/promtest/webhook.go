package promtest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Webhook is a receiver of Alertmanager's notices.
type Webhook struct {
	URL  string
	mu   sync.Mutex
	got  []Notice
	news chan struct{} // closed with the next notice
}

// Notice is what Alertmanager says of one alert.
type Notice struct {
	At          time.Time // when it came
	Receiver    string    // Alertmanager's name for who is told
	Status      string    // firing or resolved
	Labels      map[string]string
	Annotations map[string]string
}

// NewWebhook starts a receiver, on every path. It ends with t.
func NewWebhook(t testing.TB) *Webhook {
	w := &Webhook{news: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct {
			Receiver string
			Alerts   []Notice
		}
		if err := json.NewDecoder(r.Body).Decode(&body); errors.Is(err, io.ErrUnexpectedEOF) {
			return // whoever told it was killed meanwhile
		} else if err != nil {
			t.Error(err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, n := range body.Alerts {
			n.At, n.Receiver = time.Now(), body.Receiver
			w.got = append(w.got, n)
		}
		close(w.news)
		w.news = make(chan struct{})
	}))
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

// All are the notices so far, and a channel that is closed when there are more.
func (w *Webhook) All() ([]Notice, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got), w.news
}

// Await waits up to 90 s for a notice that an alert is firing or resolved.
func (w *Webhook) Await(t testing.TB, alert, status string) {
	t.Helper()
	deadline := time.After(90 * time.Second)
	for {
		got, news := w.All()
		if slices.ContainsFunc(got, func(n Notice) bool { return n.Labels["alertname"] == alert && n.Status == status }) {
			return
		}
		select {
		case <-news:
		case <-deadline:
			t.Fatalf("%s is not %s: %+v", alert, status, got)
		}
	}
}
