// Command stent looks at what durable executions do, mends what failed, and shows a running engine with `stent demo`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/stentgo/stent/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)   // the first Ctrl-C asks to end, the second ends at once
	signal.Ignore(syscall.SIGPIPE) // a write to a closed pipe is an error that Run knows, not a death in mid-drain
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
