package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/stentgo/stent/core"
)

// patience is for what passes by itself, such as a network drive that is gone for a moment.
var patience = core.RetryPolicy{MaxAttempts: 3, InitialDelay: 200 * time.Millisecond}

// disk holds the activities. An activity may be interrupted anywhere and run again, so each of them does the same, and
// no harm, the second time.
//
// Its fields belong to the process and not to the archive: they are not stored, and another process may have others.
type disk struct {
	open           opener
	skipUnreadable bool
	zippers        sync.Pool // of *gzip.Writer: each is a megabyte, more than most files
}

// opener opens a file for reading.
type opener func(path string) (io.ReadCloser, error)

// list walks the source.
func (d *disk) list(ctx context.Context, job Job) (Listing, error) {
	var found Listing
	source := string(job.Source)
	err := filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		relative, outside := filepath.Rel(source, path)
		if outside != nil {
			return outside
		}
		switch {
		case err != nil && entry != nil && path != source && d.mayLeaveOut(ctx):
			found.Others = append(found.Others, Entry{Path: Path(relative), LeftOut: reason(err)})
			return fs.SkipDir
		case err != nil:
			return &readError{path, err}
		case entry.Type().IsRegular():
			found.Files = append(found.Files, Path(relative))
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return &readError{path, err}
			}
			found.Others = append(found.Others, Entry{Path: Path(relative), Symlink: Path(target)})
		case !entry.IsDir(): // to read a pipe or a device might never end
			found.Others = append(found.Others, Entry{Path: Path(relative), LeftOut: "not a file but a " + kind(entry.Type())})
		}
		return nil
	})
	return found, err
}

// compress reads a file once, and hashes and compresses it on the way. Two attempts at the same bytes write the same
// object, so it does not matter how often one is interrupted.
func (d *disk) compress(ctx context.Context, file File) (Entry, error) {
	entry, err := d.store(ctx, file)
	var unreadable *readError
	if errors.As(err, &unreadable) && d.mayLeaveOut(ctx) {
		return Entry{Path: file.Path, LeftOut: reason(unreadable.err)}, nil
	}
	return entry, err
}

func (d *disk) store(ctx context.Context, file File) (Entry, error) {
	path := filepath.Join(string(file.Source), string(file.Path))
	in, err := d.open(path)
	if err != nil {
		return Entry{}, &readError{path, err}
	}
	defer in.Close()
	out, err := createPartial(string(file.Dest))
	if err != nil {
		return Entry{}, err
	}
	defer out.discard()

	sum := sha256.New()
	zip := d.zipper(out)
	defer d.zippers.Put(zip)
	size, err := io.Copy(io.MultiWriter(sum, zip), &source{ctx.Done(), path, in})
	if err == nil {
		err = zip.Close()
	}
	if err != nil {
		return Entry{}, cmp.Or(context.Cause(ctx), err)
	}
	entry := Entry{Path: file.Path, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil)), Compressed: out.written}
	return entry, out.keep(object(string(file.Dest), entry.SHA256))
}

// zipper compresses without a name and a time in the header, so that equal files give equal objects.
func (d *disk) zipper(to io.Writer) *gzip.Writer {
	zip, ok := d.zippers.Get().(*gzip.Writer)
	if !ok {
		return gzip.NewWriter(to)
	}
	zip.Reset(to)
	return zip
}

// object is the compressed file of what has this hash. Equal files share one.
func object(dest, hash string) string { return filepath.Join(dest, "objects", hash+".gz") }

// writeManifest writes one line of JSON for each entry, sorted by path.
func (d *disk) writeManifest(_ context.Context, m Manifest) (Summary, error) {
	if err := checkObjects(m); err != nil {
		return Summary{}, err
	}
	slices.SortFunc(m.Entries, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	out, err := createPartial(string(m.Dest))
	if err != nil {
		return Summary{}, err
	}
	defer out.discard()

	var summary Summary
	buffer := bufio.NewWriter(out)
	lines := json.NewEncoder(buffer)
	lines.SetEscapeHTML(false)
	for i := range m.Entries {
		if err := lines.Encode(&m.Entries[i]); err != nil {
			return Summary{}, err
		}
		summary = summary.with(&m.Entries[i])
	}
	if err := buffer.Flush(); err != nil {
		return Summary{}, err
	}
	if err := out.keep(manifestPath(string(m.Dest))); err != nil {
		return Summary{}, err
	}
	return summary, removePartials(string(m.Dest))
}

// checkObjects finds out when somebody has emptied the destination while the archive was interrupted: what is completed
// is not done again.
func checkObjects(m Manifest) error {
	for i := range m.Entries {
		e := &m.Entries[i]
		if e.SHA256 == "" {
			continue
		}
		if _, err := os.Stat(object(string(m.Dest), e.SHA256)); err != nil {
			return core.NonRetryable(fmt.Errorf("%q was compressed and is no longer there: %w; begin anew with --fresh", e.Path, err))
		}
	}
	return nil
}

func manifestPath(dest string) string { return filepath.Join(dest, "manifest.jsonl") }

// mayLeaveOut tells whether what cannot be read now is to be left out: the user has said so, and waiting for it to
// pass has not helped.
func (d *disk) mayLeaveOut(ctx context.Context) bool {
	task, _ := core.InfoFrom(ctx)
	return d.skipUnreadable && task.Attempt >= patience.MaxAttempts
}

// source is a file that is being read: until there is an end to its activity, and with errors that tell that it was
// the reading that failed.
type source struct {
	stop <-chan struct{}
	path string
	file io.Reader
}

func (s *source) Read(p []byte) (int, error) {
	select {
	case <-s.stop:
		return 0, context.Canceled
	default:
	}
	n, err := s.file.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readError{s.path, err}
	}
	return n, err
}

// readError says that a file or folder of the source cannot be read.
type readError struct {
	path string
	err  error
}

func (e *readError) Error() string { return fmt.Sprintf("cannot read %q: %s", e.path, reason(e.err)) }
func (e *readError) Unwrap() error { return e.err }

// reason is an error without the path, which its reader knows.
func reason(err error) string {
	var inPath *fs.PathError
	if errors.As(err, &inPath) {
		err = inPath.Err
	}
	return err.Error()
}

// openFile opens a file, and refuses what has become something else since the folder was listed.
func openFile(path string) (io.ReadCloser, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it was a file and is a %s now", kind(info.Mode()))
	}
	return os.Open(path)
}

// kind says what else than a file something is.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "folder"
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	default:
		return "device"
	}
}
