// Command zap is a program that logs with zap. Two lines, marked +Stent, make its log tell which execution, task and worker
// a record belongs to; they were added or changed, and nothing else was.
//
//	go run ./examples/zap
//	{"level":"info","timestamp":"...","message":"payment authorized","stent_execution_id":"order-42",...,"order":"42"}
package main

import (
	"context"
	"io"
	"os"
	"os/signal"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	stentzap "github.com/stentgo/stent/logctx/zap" // +Stent
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := &shop{log: newLogger(os.Stdout)}
	if err := s.run(ctx, "42"); err != nil {
		s.log.Fatal("stopped", zap.Error(err))
	}
}

// newLogger writes JSON, with the names that the program's log aggregation expects, and samples like zap.NewProduction.
func newLogger(out io.Writer) *zap.Logger {
	config := zap.NewProductionEncoderConfig()
	config.TimeKey, config.MessageKey, config.EncodeTime = "timestamp", "message", zapcore.RFC3339NanoTimeEncoder
	core := zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.Lock(zapcore.AddSync(out)), zap.InfoLevel)
	return zap.New(zapcore.NewSamplerWithOptions(core, 1e9, 100, 100))
}

// shop is what the workflow's activities work with.
type shop struct{ log *zap.Logger }

// logger is where the program adds to its records what a context knows.
func (s *shop) logger(ctx context.Context) *zap.Logger {
	return stentzap.From(ctx, s.log) // +Stent
}
