package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
)

func (a *app) signalCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "signal ID NAME [JSON]",
		Short: "Send a signal to an execution",
		Long: `Send a signal to an execution that has not ended. It is kept until the execution receives it.

ID is an execution's id, or the beginning of one that no other id has. JSON is the signal's payload; "-" reads it from standard input.`,
		Example: `  stent signal order-1005 approval '{"approved": true, "by": "ada"}'
  stent signal order-1005 approval - < approval.json
  stent signal order-1005 note '"a text needs its quotes"'`,
		Args:              arguments(2, 3, "an execution's id, a signal's name and perhaps JSON, as in `stent signal order-1005 approval true`"),
		ValidArgsFunction: a.completeExecutions,
		RunE: func(cmd *cobra.Command, args []string) error {
			var data []byte
			if len(args) == 3 {
				var err error
				if data, err = a.jsonArgument(args[2]); err != nil {
					return err
				}
			}
			return a.signal(cmd.Context(), args[0], args[1], data)
		},
	}
}

// jsonArgument reads JSON from an argument, or from standard input.
func (a *app) jsonArgument(arg string) ([]byte, error) {
	data := []byte(arg)
	if arg == "-" {
		var err error
		if data, err = io.ReadAll(io.LimitReader(a.stdin, core.DefaultPayloadLimit+1)); err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
	}
	if len(data) > core.DefaultPayloadLimit {
		return nil, usagef("the payload is larger than %d bytes: store the data elsewhere and send a reference", core.DefaultPayloadLimit)
	}
	if !json.Valid(data) {
		return nil, usagef("%.60q is not JSON: a text needs quotes of its own, as in '\"text\"'", data)
	}
	return data, nil
}

func (a *app) signal(ctx context.Context, typed, name string, data []byte) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := findExecution(ctx, db, typed)
	if err != nil {
		return err
	}
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	err = engine.SignalRaw(ctx, id, name, data)
	if errors.Is(err, core.ErrFinished) {
		return fmt.Errorf("%w: `stent show %s` tells how", err, id)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(signalShape{ExecutionID: id, Signal: name, Payload: data})
	}
	a.screen.printf("Sent %s to %s.\n", clean(name), clean(id))
	return nil
}
