package cli

import "github.com/spf13/cobra"

func (a *app) dlqCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Care for dead letters: tasks that will not be tried again by themselves",
		Long: `Care for dead letters: tasks that will not be tried again by themselves, since all attempts failed or the error was final.

A replay gives a task fresh attempts and reopens its execution, which goes on from there once the task succeeds.`,
		Example: `  stent dlq list
  stent dlq show order-1003.2
  stent dlq replay order-1003.2`,
		Args: noSuchCommand,
		RunE: help,
	}
	cmd.AddCommand(
		a.dlqListCommand(), a.dlqGroupsCommand(), a.dlqShowCommand(),
		a.dlqReplayCommand(), a.dlqReplayAllCommand(), a.dlqDiscardCommand(), a.dlqDiscardAllCommand(),
	)
	return cmd
}

const wantDeadLetter = "a dead letter's task id, as in `stent %s order-1003.2`"
