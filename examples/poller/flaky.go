package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// flaky is a service that exports slowly and answers badly: the first polls of an export are refused, broken, and not ready.
type flaky struct {
	say func(format string, args ...any)

	mu    sync.Mutex
	polls map[string]int // by export
}

func (f *flaky) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /exports", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		id := "x-" + r.FormValue("key")
		if _, ok := f.polls[id]; !ok {
			f.polls[id] = 0
		}
		f.say("  service: export %s of table %s\n", id, r.FormValue("table"))
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id})
	})
	mux.HandleFunc("GET /exports/{id}", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		id := r.PathValue("id")
		if _, ok := f.polls[id]; !ok {
			http.NotFound(w, r)
			return
		}
		f.polls[id]++
		answer := func(status int, header string) {
			if header != "" {
				w.Header().Set("Retry-After", header)
			}
			f.say("  service: poll %d: %d %s, come back after %q\n", f.polls[id], status, http.StatusText(status), header)
			w.WriteHeader(status)
		}
		switch f.polls[id] {
		case 1:
			answer(http.StatusTooManyRequests, "1")
		case 2:
			answer(http.StatusInternalServerError, "")
		case 3:
			answer(http.StatusAccepted, "1")
		default:
			f.say("  service: poll %d: it is ready\n", f.polls[id])
			_ = json.NewEncoder(w).Encode(map[string]any{"url": fmt.Sprintf("https://files.example.com/%s.csv", id), "rows": 1234})
		}
	})
	return mux
}
