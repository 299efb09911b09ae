package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// usageError is a command that was not understood; its exit code is 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// report prints how a command ended, if that needs saying, and gives its exit code.
func (a *app) report(ctx context.Context, err error) int {
	var usage *usageError
	switch {
	case err == nil, isClosedPipe(err):
		return exitOK // whoever closed the pipe has read what they wanted
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintln(a.stderr, "stent: interrupted")
		return exitInterrupted
	}
	if errors.Is(err, errUnwell) {
		return exitError
	}
	fmt.Fprintln(a.stderr, "stent: "+message(err))
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitError
}

func isClosedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// message is an error on one line, without the secrets of a database's address.
func message(err error) string {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return clean(redact(strings.TrimPrefix(strings.Join(lines, " "), "stent: ")))
}

// A DSN is never printed on purpose. These are for the places where it comes back by accident: as an argument that was
// not understood, or in a driver's error. They rather take too much than too little, since a password may hold anything.
var (
	userinfo = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://[^:/?#@\s]*|postgres(?:ql)?:[^:/?#@\s]+):.*@`)
	keyword  = regexp.MustCompile(`(?i)\b((?:ssl)?password|passfile)\s*=\s*('(?:\\.|[^'\\])*'?|[^\s&"` + "`" + `]+)`)
)

func redact(s string) string {
	s = userinfo.ReplaceAllString(s, "$1:xxxxx@")
	return keyword.ReplaceAllString(s, "$1=xxxxx")
}

// flagError adds where to look, unless the error says already what it wants.
func flagError(cmd *cobra.Command, err error) error {
	if strings.HasPrefix(err.Error(), "unknown ") {
		return usagef("%w: `%s --help` lists those there are", err, cmd.CommandPath())
	}
	return &usageError{err}
}

// noSuchCommand is the Args of a command that only groups others: whatever argument is left over was meant as a
// subcommand.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	remedy := fmt.Sprintf("`%s --help` lists them", cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		remedy = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("unknown command %q for %q: %s", args[0], cmd.CommandPath(), remedy)
}

// arguments is the Args of a command that takes least to most of them. want says what is missing, with an example.
func arguments(least, most int, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("%s: want %s", cmd.CommandPath(), want)
		case len(args) > most && most == 0:
			return usagef("%s takes no arguments, got %q", cmd.CommandPath(), args[0])
		case len(args) > most:
			return usagef("%s: %q is one argument too many: want %s", cmd.CommandPath(), args[most], want)
		}
		for i, arg := range args[:least] {
			if strings.TrimSpace(arg) == "" {
				return usagef("%s: argument %d is empty: want %s", cmd.CommandPath(), i+1, want)
			}
		}
		return nil
	}
}
