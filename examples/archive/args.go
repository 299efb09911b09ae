package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const usage = `archive compresses the files of a folder into another one.

  go run ./examples/archive [flags] SOURCE DEST

It writes
  DEST/manifest.jsonl     a line of JSON for each file, sorted by path: size, SHA-256, compressed size
  DEST/objects/HASH.gz    the files; HASH is the SHA-256 of the contents, equal files share one

Symbolic links stand in the manifest and are not followed. To get a file back, look up its hash:
  gunzip -c DEST/objects/HASH.gz

Kill it whenever you like and start it again with the same arguments: it goes on where it was and compresses nothing
twice. What is done stands in the database; an archive in the same database that was interrupted goes on too.

Flags:
  --db FILE           the database; it is made if it is not there (default archive.sqlite)
  --id NAME           the name of the archive (default: one that is made from SOURCE and DEST)
  --fresh             begin anew although SOURCE has been archived to DEST before
  --skip-unreadable   leave out what cannot be read; the manifest names it and says why
  --verbose           log what the engine does

Exit codes: 0 the archive is complete, 1 it is not, 2 bad arguments, 130 interrupted.
`

// options is what the command line says, checked.
type options struct {
	job            Job
	id             string // of the execution; chosen from job if it is ""
	fresh          bool
	skipUnreadable bool
	verbose        bool
	db             string
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// parseArgs reads and checks the command line. It makes DEST if all else is right.
func parseArgs(args []string, stdout io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("archive", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&opts.db, "db", "archive.sqlite", "")
	flags.StringVar(&opts.id, "id", "", "")
	flags.BoolVar(&opts.fresh, "fresh", false, "")
	flags.BoolVar(&opts.skipUnreadable, "skip-unreadable", false, "")
	flags.BoolVar(&opts.verbose, "verbose", false, "")

	names, err := parseMixed(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return opts, err
	case err != nil:
		return opts, usageError{err}
	case len(names) != 2:
		return opts, usageError{fmt.Errorf("want two names, SOURCE and DEST, got %d: %q", len(names), names)}
	case names[0] == "" || names[1] == "": // a variable of a script that is not set, most likely
		return opts, usageError{fmt.Errorf("SOURCE is %q and DEST is %q: want the names of folders", names[0], names[1])}
	case opts.fresh && opts.id != "":
		return opts, usageError{errors.New("--fresh and --id: want one of them; a new --id begins anew by itself")}
	}
	return opts, opts.setPaths(names[0], names[1])
}

// parseMixed lets flags stand behind names too, where people add them.
func parseMixed(flags *flag.FlagSet, args []string) (names []string, err error) {
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		if parsed := len(args) - len(rest); parsed > 0 && args[parsed-1] == "--" {
			return append(names, rest...), nil
		}
		if args = rest; len(args) > 0 {
			names, args = append(names, args[0]), args[1:]
		}
	}
	return names, nil
}

// setPaths makes the paths absolute, without links, so that the same folders give the same archive from wherever the
// command is started, and refuses what could not work.
func (o *options) setPaths(source, dest string) error {
	realSource, err := checkSource(source)
	if err != nil {
		return err
	}
	realDest, err := realPath(dest)
	if err != nil {
		return fmt.Errorf("DEST %q cannot be reached: %s: name a folder in one that you may write to", dest, reason(err))
	}
	if inside(realDest, realSource) {
		return fmt.Errorf("DEST %q lies in SOURCE %q and would be archived itself: name a folder outside of it", dest, source)
	}
	realDB, err := realPath(o.db)
	if err != nil {
		return fmt.Errorf("--db %q cannot be reached: %s: name a file in a folder that you may write to", o.db, reason(err))
	}
	if inside(realDB, realSource) {
		return fmt.Errorf("--db %q lies in SOURCE %q and changes while it is archived: name a file outside of it, for example --db %s",
			o.db, source, filepath.Join(os.TempDir(), "archive.sqlite"))
	}
	o.job = Job{Source: Path(realSource), Dest: Path(realDest)}
	return checkDest(dest, realDest)
}

func checkSource(source string) (string, error) {
	path, err := realPath(source)
	if err != nil {
		return "", fmt.Errorf("SOURCE %q cannot be reached: %s: check the path, and that you may read it", source, reason(err))
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("SOURCE %q does not exist (looked for %s): check the path", source, path)
	case err != nil:
		return "", fmt.Errorf("SOURCE %q cannot be reached: %s: check the path, and that you may read it", source, reason(err))
	case !info.IsDir():
		return "", fmt.Errorf("SOURCE %q is not a folder: name the folder that it is in, for example %q", source, filepath.Dir(path))
	}
	folder, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("SOURCE %q cannot be read: %s: get the permission to read it, or run this as a user who has it", source, reason(err))
	}
	return path, folder.Close()
}

func checkDest(dest, path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return fmt.Errorf("DEST %q cannot be made: %s: name a folder in one that you may write to", dest, reason(err))
	}
	probe, err := os.CreateTemp(path, ".probe*")
	if err != nil {
		return fmt.Errorf("DEST %q cannot be written to: %s: get the permission, or name another folder", dest, reason(err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// realPath is an absolute path without symbolic links; what does not exist yet has none.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	followed, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(path) == path {
		return followed, err
	}
	folder, err := realPath(filepath.Dir(path))
	return filepath.Join(folder, filepath.Base(path)), err
}

// inside tells whether path is folder or lies somewhere below it.
func inside(path, folder string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// idOf names an archive after what it archives, so that the same command finds it again.
func idOf(job Job) string {
	sum := sha256.Sum256([]byte(job.Source + "\x00" + job.Dest))
	return "archive-" + hex.EncodeToString(sum[:6])
}
