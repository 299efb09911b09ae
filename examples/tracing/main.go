// The program traces orders: it sends spans to Jaeger, or to any collector that takes OTLP over HTTP, and its log has the
// ids of the spans. The lines that Stent needs are marked; the rest is any program that uses OpenTelemetry.
//
//	go run .                                                    # to http://localhost:4318
//	OTEL_EXPORTER_OTLP_ENDPOINT=http://jaeger:4318 go run .
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/logctx"
	stentslog "github.com/stentgo/stent/logctx/slog"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

func main() {
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx)
	if err == nil {
		err = run(ctx, os.Stdout, exporter, "orders.sqlite")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run places one order.
func run(ctx context.Context, log io.Writer, exporter sdktrace.SpanExporter, file string) (err error) {
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithIDGenerator(stentotel.NewIDGenerator()), // +Stent
	)
	defer func() { err = errors.Join(err, provider.Shutdown(ctx)) }()

	handler := slog.NewJSONHandler(log, nil)
	logger := slog.New(stentslog.NewHandler(handler, logctx.WithSpan(stentotel.Span))) // +Stent

	db, err := sqlite.Open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	traced := core.WithMiddleware(stentotel.New(stentotel.WithTracerProvider(provider))) // +Stent
	engine, err := core.New(db, traced, core.WithLogger(logger))
	if err != nil {
		return err
	}
	shop := &shop{logger}
	if err := engine.Register(orders.Handle(shop.order), validate.Handle(shop.validate), charge.Handle(shop.charge)); err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- engine.Serve(serving, core.WorkerConfig{}) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()

	requested, request := provider.Tracer("web").Start(ctx, "POST /orders") // what any instrumented server does
	placed, err := orders.Start(requested, engine, "42")
	request.End()
	if err != nil {
		return err
	}
	_, err = placed.Wait(ctx)
	return err
}
