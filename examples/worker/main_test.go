package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func TestProbesMetricsAndDrain(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	file := filepath.Join(t.TempDir(), "orders.sqlite")
	addresses := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, file, "127.0.0.1:0", func(a net.Addr) { addresses <- a }) }()
	var url string
	select {
	case a := <-addresses:
		url = "http://" + a.String()
	case err := <-ended:
		t.Fatal(err)
	}
	eventually(t, func() bool { return get(t, url+"/readyz") == "ready\n" })
	if got := get(t, url+"/livez"); got != "ok\n" {
		t.Errorf("/livez says %q", got)
	}

	db, err := sqlite.Open(ctx, file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		t.Fatal(err)
	}
	order, err := Orders.Start(ctx, engine, Order{ID: "42"}, core.ID("order-42"))
	if err != nil {
		t.Fatal(err)
	}
	if receipt, err := order.Wait(ctx); receipt != "receipt-42" || err != nil {
		t.Errorf("%q, %v", receipt, err)
	}
	eventually(t, func() bool {
		text := get(t, url+"/metrics")
		return strings.Contains(text, `stent_tasks_completed_total{kind="activity",queue="billing",step="charge_payment"} 1`)
	})

	stop()
	if err := <-ended; err != nil {
		t.Errorf("the worker ended with %v", err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute")
		}
		<-time.After(20 * time.Millisecond)
	}
}
