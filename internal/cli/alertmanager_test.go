//go:build promtool

package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/internal/promtest"
)

// A real Alertmanager is told of dead letters by stent alerts watch, and that they are gone.
func TestWatchAtARealAlertmanager(t *testing.T) {
	hook := promtest.NewWebhook(t)
	config := strings.ReplaceAll(string(alerts.Alertmanager(alerts.Options{Scale: 0.01})), "http://localhost:9095", hook.URL)
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

	hook.Await(t, "StentDeadLettersPending", "firing")
	for _, task := range []string{failedID + ".2", panickedID + ".0"} {
		if r := h.run("dlq", "replay", task); r.code != exitOK {
			t.Fatal(r.stderr)
		}
	}
	hook.Await(t, "StentDeadLettersPending", "resolved")

	stop()
	if code := <-ended; code != exitInterrupted {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
	for _, want := range []string{"firing    StentDeadLettersPending: 2 dead letters are in queue default", "resolved  StentDeadLettersPending"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	notices, _ := hook.All()
	for _, a := range notices {
		if a.Labels["queue"] != "default" || a.Labels["severity"] != "warning" || !strings.HasSuffix(a.Annotations["runbook_url"], "StentDeadLettersPending.md") {
			t.Errorf("%+v", a)
		}
	}
}
