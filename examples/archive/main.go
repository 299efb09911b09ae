// Command archive compresses the files of a folder into another, and survives being killed while it does so.
//
//	go run ./examples/archive --db archive.sqlite SOURCE DEST
//
// Kill it in the middle and start it again with the same arguments: it goes on where it was and compresses no file
// twice. What makes that so is the workflow in archive.go, of 20 lines, and the three activities in disk.go. The rest
// is what any command has: args.go reads the command line, session.go starts or continues an archive and says how it
// went, progress.go how far it is, and partial.go writes files that are there completely or not at all.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first Ctrl-C asks to end, the second ends at once
	os.Exit(exitCode(run(ctx, os.Args[1:], openFile, os.Stdout, os.Stderr), os.Stderr))
}

// payloadLimit is the most bytes of one input or result: a workflow's list of files is one of them, with about 200
// bytes a file, and so this is enough for a million files.
const payloadLimit = 256 << 20

// worker says how this process works.
var worker = core.WorkerConfig{
	Slots: 4 * runtime.NumCPU(), // large files keep a core busy, small ones wait for the disk

	// A process that is killed cannot give back what it works on, so the next one has to wait until its lease is over.
	// The default of 30 s suits servers that rarely die; someone who starts a command again would wonder what it
	// waits for. A shorter lease is renewed more often, and lost sooner when the whole machine stalls.
	Lease: 2 * time.Second,

	// Files that are under way at Ctrl-C may be finished for so long; a larger one begins anew the next time.
	DrainTimeout: 5 * time.Second,

	// A server gives up on a task of which five processes have died, since the task may be what kills them. Here it is
	// a person who kills them, maybe ten times while the same large file is under way.
	MaxCrashes: 1000,
}

// run is the whole program. open opens a file of the source.
func run(ctx context.Context, args []string, open opener, stdout, stderr io.Writer) error {
	opts, err := parseArgs(args, stdout)
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, opts.db)
	if err != nil {
		return fmt.Errorf("--db: %w", err)
	}
	defer db.Close()

	log := slog.New(slog.DiscardHandler)
	if opts.verbose {
		log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	engine, err := core.New(db, core.WithLogger(log), core.WithPayloadLimit(payloadLimit))
	if err != nil {
		return err
	}
	disk := &disk{open: open, skipUnreadable: opts.skipUnreadable}
	err = engine.Register(
		archiveFolder.Handle(archive),
		listFolder.Handle(disk.list),
		compressFile.Handle(disk.compress),
		writeManifest.Handle(disk.writeManifest),
	)
	if err != nil {
		return err
	}
	s := &session{engine: engine, db: db, opts: opts, out: stdout}
	return s.run(ctx)
}
