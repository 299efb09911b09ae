// Command slog is a program that logs with slog.SetDefault. Three lines, marked +Stent, make its log tell which execution,
// task and worker a record belongs to; they were added or changed, and nothing else was.
//
//	go run ./examples/slog
//	{"timestamp":"...","level":"INFO","message":"payment authorized","order":"42","execution_id":"order-42",...}
package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"

	"github.com/stentgo/stent/logctx"                // +Stent
	stentslog "github.com/stentgo/stent/logctx/slog" // +Stent
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	setUpLog(os.Stdout)
	if err := run(ctx, "42"); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// setUpLog makes the program's log JSON, with the names that its log aggregation expects.
func setUpLog(out io.Writer) {
	names := map[string]string{slog.TimeKey: "timestamp", slog.MessageKey: "message"}
	var handler slog.Handler = slog.NewJSONHandler(out, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if name, ok := names[a.Key]; ok && len(groups) == 0 {
				a.Key = name
			}
			return a
		},
	})
	slog.SetDefault(slog.New(stentslog.NewHandler(handler, logctx.WithoutPrefix()))) // +Stent
}
