// Command pgserver runs a command with a PostgreSQL for its tests, which ends with the command:
//
//	go run ./internal/pgtest/pgserver go test ./...
//
// All test binaries find the one server through STENT_TEST_POSTGRES. Without a command it prints the server's DSN and
// waits for Ctrl-C. Package pgtest says where the server comes from.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/stentgo/stent/internal/pgtest"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed) && failed.Exited():
		os.Exit(failed.ExitCode())
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(command []string, stdout, stderr io.Writer) (err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	server, err := pgtest.Open(context.Background())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	fmt.Fprintln(stdout, server)

	if len(command) == 0 {
		fmt.Fprintf(stdout, "%s='%s'\n", pgtest.EnvDSN, server.DSN())
		<-signals
		return nil
	}
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	cmd.Env = append(os.Environ(), pgtest.EnvDSN+"="+server.DSN())
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return err
		case s := <-signals:
			if s != os.Interrupt { // a terminal sends its Ctrl-C to the command as well
				_ = cmd.Process.Signal(s)
			}
		}
	}
}
