package cli

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
)

// leastInterval is how often at most an exporter reads the database.
const leastInterval = time.Second

func (a *app) exporterCommand() *cobra.Command {
	var listen, every string
	cmd := &cobra.Command{
		Use:   "exporter",
		Short: "Serve the gauges of a database to Prometheus",
		Long: `Serve what the database says of its queues, executions, workers and dead letters, at /metrics.

It works on no task and needs no worker: the depth of a queue is seen to grow when all workers are dead, and an autoscaler can start from
none. The counters of what workers do are not here but in their own programs.

The database is read every 15s, whoever asks how often. While it cannot be read, stent_sampler_up is 0 and the gauges are withheld. With
several exporters, or workers that sample too, all serve the same values: queries take the maximum, not the sum.

It listens on this machine alone unless --listen says otherwise. Metrics tell names of queues and workflows: let only your Prometheus
reach them.`,
		Example: `  stent exporter --db postgres://stent@db/shop
  stent exporter --listen :9464 --interval 5s`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			interval, err := core.ParseDuration(every)
			if err != nil || interval < leastInterval {
				return usagef("--interval %q: want a duration of %v or more, such as 15s", every, leastInterval)
			}
			if err := checkAddress("--listen", listen); err != nil {
				return err
			}
			return a.export(cmd.Context(), listen, interval)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&listen, "listen", metricsAddress, "the `address` to serve at")
	flags.StringVar(&every, "interval", "15s", "how `often` the database is read")
	return cmd
}

func (a *app) export(ctx context.Context, listen string, interval time.Duration) (err error) {
	d, err := a.address()
	if err != nil {
		return err
	}
	db, err := a.openDatabase(ctx, d, toRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	server, err := serveMetrics(ctx, listen, stentprom.WithSamplesOnly())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	engine, err := core.New(db, core.WithMetrics(server.Recorder), core.WithLogger(slog.New(slog.NewTextHandler(a.stderr, nil))))
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(map[string]string{"database": clean(d.name), "metrics": server.URL})
	} else {
		a.screen.printf("The gauges of %s are at %s until Ctrl-C.\n", clean(d.name), server.URL)
	}
	if err = errors.Join(err, a.screen.Flush()); err != nil {
		return err
	}
	return engine.RunSampler(ctx, interval)
}
