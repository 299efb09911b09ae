// Command zerolog is a program that logs with zerolog. Three lines, marked +Stent, make its log tell which execution, task
// and worker a record belongs to; they were added or changed, and nothing else was.
//
//	go run ./examples/zerolog
//	{"level":"info","order":"42","execution_id":"order-42",...,"timestamp":"...","message":"payment authorized"}
package main

import (
	"context"
	"io"
	"os"
	"os/signal"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"

	"github.com/stentgo/stent/logctx"                      // +Stent
	stentzerolog "github.com/stentgo/stent/logctx/zerolog" // +Stent
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	setUpLog(os.Stdout)
	if err := run(ctx, "42"); err != nil {
		log.Fatal().Err(err).Msg("stopped")
	}
}

// setUpLog sets the logger of the whole program, with the names that its log aggregation expects.
func setUpLog(out io.Writer) {
	zerolog.TimestampFieldName = "timestamp"
	log.Logger = zerolog.New(zerolog.SyncWriter(out)).With().Timestamp().Logger()
	log.Logger = log.Logger.Hook(stentzerolog.NewHook(logctx.WithoutPrefix())) // +Stent
}
