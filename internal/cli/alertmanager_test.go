//go:build promtool

package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/internal/promtest"
)

// A real Alertmanager is told of dead letters by stent alerts watch, and that they are gone.
func TestWatchAtARealAlertmanager(t *testing.T) {
	hook := newHook(t)
	config := strings.ReplaceAll(string(alerts.Alertmanager(alerts.Options{Scale: 0.01})), "http://localhost:9095", hook.server.URL)
	address := promtest.Alertmanager(t, []byte(config))

	h := newHistory(t, testBackends[0])
	h.tellAll() // two dead letters
	ctx, stop := context.WithCancel(t.Context())
	var out, errs strings.Builder
	ended := make(chan int, 1)
	go func() {
		ended <- Run(ctx, []string{"--db", h.dsn, "alerts", "watch", "--alertmanager", address, "--interval", "200ms", "--dead-letters", "1",
			"--for", "StentDeadLettersPending=500ms", "--disable", "StentQueueWithoutWorkers,StentTasksWaitLong"}, strings.NewReader(""), &out, &errs)
	}()

	hook.await(t, "StentDeadLettersPending", "firing")
	for _, task := range []string{failedID + ".2", panickedID + ".0"} {
		if r := h.run("dlq", "replay", task); r.code != exitOK {
			t.Fatal(r.stderr)
		}
	}
	hook.await(t, "StentDeadLettersPending", "resolved")

	stop()
	if code := <-ended; code != exitInterrupted {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
	for _, want := range []string{"firing    StentDeadLettersPending: 2 dead letters are in queue default", "resolved  StentDeadLettersPending"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	for _, a := range hook.all() {
		if a.Labels["queue"] != "default" || a.Labels["severity"] != "warning" || !strings.HasSuffix(a.Annotations["runbook_url"], "StentDeadLettersPending.md") {
			t.Errorf("%+v", a)
		}
	}
}

// hook is a webhook receiver.
type hook struct {
	server *httptest.Server
	mu     sync.Mutex
	got    []hooked
	news   chan struct{}
}

// hooked is an alert as Alertmanager hands it to a webhook.
type hooked struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func newHook(t *testing.T) *hook {
	h := &hook{news: make(chan struct{}, 1)}
	h.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Alerts []hooked }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		h.got = append(h.got, body.Alerts...)
		h.mu.Unlock()
		select {
		case h.news <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(h.server.Close)
	return h
}

func (h *hook) all() []hooked {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]hooked{}, h.got...)
}

// await waits until the receiver was told that an alert has a status.
func (h *hook) await(t *testing.T, name, status string) {
	t.Helper()
	deadline := time.After(90 * time.Second)
	for {
		for _, a := range h.all() {
			if a.Labels["alertname"] == name && a.Status == status {
				return
			}
		}
		select {
		case <-h.news:
		case <-deadline:
			t.Fatalf("%s is not %s: %+v", name, status, h.all())
		}
	}
}
