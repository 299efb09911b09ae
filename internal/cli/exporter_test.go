package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/internal/pgtest"
)

// output is what a command that runs has printed so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var metricsURL = regexp.MustCompile(`http://127\.0\.0\.1:\d+/metrics`)

// scraped reads metrics until what is expected of them holds.
func scraped(t *testing.T, out *output, holds func(text string) bool) string {
	t.Helper()
	text := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		url := metricsURL.FindString(out.String())
		if url == "" {
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("GET %s: %d, %v\n%s", url, resp.StatusCode, err, body)
		}
		if text = string(body); holds(text) {
			return text
		}
	}
	t.Fatalf("did not show within 30s:\n%s\n%s", out, text)
	return ""
}

// With every worker dead, and nobody there to say so, the exporter shows that the queue grows and that no worker serves
// it.
func TestExporterWithoutWorkers(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (backend.Backend, string, error){
		"sqlite": func(t *testing.T) (backend.Backend, string, error) {
			path := filepath.Join(t.TempDir(), "orders.db")
			db, err := sqlite.Open(t.Context(), path)
			return db, path, err
		},
		"postgres": func(t *testing.T) (backend.Backend, string, error) {
			dsn := pgtest.DSN(t)
			db, err := postgres.Open(t.Context(), dsn)
			return db, dsn, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, address, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Register(t.Context(), backend.Worker{ID: "killed", Queues: []string{"mail"}, State: backend.WorkerReady}, time.Second); err != nil {
				t.Fatal(err)
			}
			enqueue := func(ids ...string) {
				b := &backend.Batch{}
				for _, id := range ids {
					b.Commands = append(b.Commands, &backend.Start{ID: id, Workflow: "deliver", Queue: "mail", Input: []byte("1")})
				}
				if err := db.Commit(t.Context(), b); err != nil {
					t.Fatal(err)
				}
			}
			enqueue("a", "b", "c")

			out := &output{}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan int, 1)
			go func() {
				a := &app{stdin: strings.NewReader(""), stdout: out, stderr: out, now: time.Now, program: "stent"}
				done <- a.run(ctx, []string{"exporter", "--db", address, "--listen", "127.0.0.1:0", "--interval", "1s"})
			}()
			shows := func(lines ...string) func(string) bool {
				return func(text string) bool {
					for _, line := range lines {
						if !strings.Contains(text, "\n"+line+"\n") {
							return false
						}
					}
					return true
				}
			}
			scraped(t, out, shows(`stent_queue_depth{queue="mail"} 3`, `stent_sampler_up 1`, `stent_executions{state="pending"} 3`))
			scraped(t, out, shows(`stent_queue_workers{queue="mail"} 0`, `stent_workers{state="dead"} 1`, `stent_workers{state="ready"} 0`))
			enqueue("d", "e")
			text := scraped(t, out, shows(`stent_queue_depth{queue="mail"} 5`))
			for _, absent := range []string{"stent_tasks_claimed_total", "stent_worker_ready", "stent_worker_slots"} {
				if strings.Contains(text, absent) {
					t.Errorf("an exporter shows %s, which says nothing of the workers", absent)
				}
			}
			if !strings.Contains(text, "stent_database_size_bytes ") {
				t.Errorf("no size of the database:\n%s", text)
			}
			cancel()
			if code := <-done; code != exitOK && code != exitInterrupted {
				t.Errorf("exit code %d\n%s", code, out)
			}
		})
	}
}

func TestExporterRefuses(t *testing.T) {
	t.Setenv("STENT_DB", "")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--listen", "9464"}, `--listen "9464"`},
		{[]string{"--interval", "10ms"}, `--interval "10ms"`},
		{[]string{"--db", filepath.Join(t.TempDir(), "none.db")}, "there is no file"},
	} {
		got := stent(t.Context(), newClock(), append([]string{"exporter"}, test.args...)...)
		if got.code == exitOK || !strings.Contains(got.stderr, test.want) {
			t.Errorf("stent exporter %v: exit code %d, %s", test.args, got.code, got.stderr)
		}
	}
}
