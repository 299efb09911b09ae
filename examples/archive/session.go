package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// session is one run of the command: it starts an archive or takes one up, works until it has ended, and says how.
type session struct {
	engine *core.Engine
	db     backend.Backend
	opts   options
	out    io.Writer
}

var errInterrupted = errors.New("interrupted")

func (s *session) run(ctx context.Context) error {
	id, err := s.chooseID(ctx)
	if err != nil {
		return err
	}
	run, err := archiveFolder.Start(ctx, s.engine, s.opts.job, core.ID(id))
	if errors.Is(err, core.ErrAlreadyExists) {
		return fmt.Errorf("--id %q is an archive of other folders: choose another name", id)
	}
	if err != nil {
		return err
	}
	if run.Existed {
		done, err := s.takeUp(ctx, id)
		if done || err != nil {
			return err
		}
	} else {
		fmt.Fprintf(s.out, "Archiving %q as %s\n", s.opts.job.Source, id)
	}

	summary, err := s.work(ctx, run)
	switch {
	case err == nil:
		fmt.Fprintf(s.out, "Done: %s\n", summary)
		s.tellWhere(id)
		return nil
	case ctx.Err() != nil:
		return s.interrupted(id)
	default:
		return s.failed(id, err)
	}
}

// chooseID finds the archive that is meant: the one with the given name, or the newest of these folders. A fresh one
// has the time behind its name.
func (s *session) chooseID(ctx context.Context) (string, error) {
	if s.opts.id != "" {
		return s.opts.id, nil
	}
	id := idOf(s.opts.job)
	found, err := s.db.Executions(ctx, backend.ExecutionFilter{IDPrefix: id, Limit: 1})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return id, nil
	case !s.opts.fresh:
		return found[0].ID, nil
	case !found[0].State.Final():
		return "", fmt.Errorf("--fresh: the archive %s has not ended: go on with it by leaving --fresh out", found[0].ID)
	}
	return id + time.Now().UTC().Format("-20060102T150405Z"), nil
}

// takeUp says where an archive stands that was started before. One that has failed is put back to work; one that is
// complete is done.
func (s *session) takeUp(ctx context.Context, id string) (done bool, err error) {
	found, err := s.engine.StateOf(ctx, id)
	if err != nil {
		return false, err
	}
	switch found.State {
	case backend.Completed:
		return true, s.alreadyDone(ctx, &found)
	case backend.Failed:
		if err := s.replay(ctx, id); err != nil {
			return false, err
		}
	case backend.Cancelled, backend.TimedOut:
		return false, fmt.Errorf("the archive %s has ended as %s: begin a new one with --fresh", id, found.State)
	}
	fmt.Fprintf(s.out, "Going on with %s: %s\n", id, progressOf(&found))
	return false, nil
}

func (s *session) alreadyDone(ctx context.Context, found *core.Snapshot) error {
	when := found.Finished.Local().Format(time.DateTime)
	if manifest := manifestPath(string(s.opts.job.Dest)); !exists(manifest) {
		return fmt.Errorf("the archive %s was completed %s, and %q is no longer there: begin anew with --fresh", found.ID, when, manifest)
	}
	summary, err := archiveFolder.Attach(s.engine, found.ID).Wait(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Nothing to do: it was completed %s. To archive the folder again, add --fresh.\n%s\n", when, summary)
	s.tellWhere(found.ID)
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// replay puts all that has failed back to work. What was completed stays so.
func (s *session) replay(ctx context.Context, id string) error {
	letters, err := s.db.DeadLetters(ctx, backend.DeadLetterFilter{Execution: id, Limit: parallel})
	if err != nil {
		return err
	}
	if len(letters) == 0 {
		return fmt.Errorf("the archive %s has failed and what failed has been discarded: begin a new one with --fresh", id)
	}
	for i := range letters {
		if err := s.engine.Replay(ctx, letters[i].Task, core.By("archive")); err != nil {
			return err
		}
	}
	return nil
}

// work serves until the archive has ended, or ctx has; then what is under way is finished or given back.
func (s *session) work(ctx context.Context, run *core.Run[Summary]) (Summary, error) {
	working, stop := context.WithCancelCause(ctx)
	var serving, showing sync.WaitGroup
	serving.Go(func() { stop(s.engine.Serve(working, worker)) })
	showing.Go(func() { s.showProgress(working, run.ID()) })

	summary, err := run.Wait(working)
	if err != nil && working.Err() != nil {
		err = context.Cause(working) // where Serve has failed, that is why
	}
	stop(nil)
	showing.Wait()
	if err != nil && ctx.Err() != nil {
		fmt.Fprintln(s.out, "Interrupted: what is under way is finished first; Ctrl-C again ends at once.")
	}
	serving.Wait()
	return summary, err
}

func (s *session) interrupted(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if found, err := s.engine.StateOf(ctx, id); err == nil {
		fmt.Fprintf(s.out, "%s. To go on, run the same command again%s.\n", progressOf(&found), s.withoutFresh())
	}
	return errInterrupted
}

func (s *session) withoutFresh() string {
	if s.opts.fresh {
		return " without --fresh"
	}
	return ""
}

// failed says which files could not be archived, and what to do.
func (s *session) failed(id string, err error) error {
	var failure *core.ExecutionError
	if !errors.As(err, &failure) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	letters, listErr := s.db.DeadLetters(ctx, backend.DeadLetterFilter{Execution: id, Limit: parallel})
	if listErr != nil || len(letters) == 0 {
		return err
	}
	var text strings.Builder
	text.WriteString("the archive is not complete:")
	for i := range letters {
		fmt.Fprintf(&text, "\n  %s (%s)", letters[i].Failure.Message, count(letters[i].Attempts, "attempt"))
	}
	fmt.Fprintf(&text, "\nRemove the cause, then run the same command again%s: it goes on where it was.", s.withoutFresh())
	text.WriteString("\nTo leave out what cannot be read, add --skip-unreadable.")
	return errors.New(text.String())
}

func (s *session) tellWhere(id string) {
	dest := string(s.opts.job.Dest)
	fmt.Fprintf(s.out, "Manifest: %q\n", manifestPath(dest))
	fmt.Fprintf(s.out, "What happened, step by step: go run ./cmd/stent --db %q show %s\n", s.opts.db, id)
}

// exitCode prints an error and makes of it what shells know.
func exitCode(err error, stderr io.Writer) int {
	var misused usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errInterrupted):
		return 130
	case errors.As(err, &misused):
		fmt.Fprintf(stderr, "archive: %v\nSee --help.\n", err)
		return 2
	default:
		fmt.Fprintf(stderr, "archive: %v\n", err)
		return 1
	}
}
