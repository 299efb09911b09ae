package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestEmptyFolder(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.mustRun()
	if got := readFile(t, manifestPath(a.dest)); len(got) != 0 {
		t.Errorf("the manifest of an empty folder is %q, want it empty", got)
	}
}

func TestEqualFilesShareAnObject(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for _, name := range []string{"a", "b/a", "b/c/a"} {
		a.write(name, "the same")
	}
	a.write("empty", "")
	a.mustRun()
	objects, err := os.ReadDir(filepath.Join(a.dest, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 2 {
		t.Errorf("%d objects, want one for the equal files and one for the empty one", len(objects))
	}
	checkContents(t, a.source, a.dest)
}

func TestNamesThatAreHardToWrite(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("this system does not have such names")
	}
	a := newArchive(t)
	names := []string{
		"a file", " leading", "new\nline", "tab\t", "häß→日本", "-dash", `"quoted"`, `back\slash`, "<&>", "per%cent", "a.gz", "a.gz.gz",
		strings.Repeat("long", 63), "folder of\nlines/file",
	}
	if runtime.GOOS == "linux" { // where a name is any sequence of bytes
		names = append(names, "\xff\xfe not Unicode", "\"\xff", "folder \xff/file")
	}
	for _, name := range names {
		a.write(name, "content of "+name)
	}
	a.mustRun()
	checkContents(t, a.source, a.dest)

	var got []string
	for _, e := range readManifest(t, a.dest) {
		got = append(got, string(e.Path))
	}
	if slices.Sort(names); !slices.Equal(got, names) {
		t.Errorf("the manifest has %q\nwant %q", got, names)
	}
}

func TestWhatIsNotAFile(t *testing.T) {
	a := newArchive(t)
	a.write("file", "content")
	a.write("elsewhere/secret", "not to be followed")
	for name, target := range map[string]string{"link": "file", "folder link": "elsewhere", "dangling": "no where"} {
		if err := os.Symlink(target, filepath.Join(a.source, name)); err != nil {
			t.Skip(err)
		}
	}
	t.Chdir(a.source) // the address of a socket must be short
	socket, err := new(net.ListenConfig).Listen(t.Context(), "unix", "socket")
	if err != nil {
		t.Skip(err)
	}
	defer socket.Close()
	a.mustRun()

	var got []string
	for _, e := range readManifest(t, a.dest) {
		got = append(got, fmt.Sprintf("%s %s%s", e.Path, e.Symlink, e.LeftOut))
	}
	want := []string{
		"dangling no where", "elsewhere/secret ", "file ", "folder link elsewhere", "link file", "socket not a file but a socket",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the manifest has %q\nwant %q", got, want)
	}
}

func TestSourceMayBeALink(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.write("file", "content")
	a.mustRun()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(a.source, link); err != nil {
		t.Skip(err)
	}
	a.source = link
	if out := a.mustRun(); !strings.Contains(out, "Nothing to do") {
		t.Errorf("the same folder under another name is another archive:\n%s", out)
	}
}

func TestListLargerThanTheUsualPayload(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	folder := strings.Repeat("f", 200)
	for i := range 1300 {
		a.write(fmt.Sprintf("%s/%s/%s/%s/%d", folder, folder, folder, folder, i), "x")
	}
	a.mustRun()
	if got := len(readManifest(t, a.dest)); got != 1300 {
		t.Errorf("the manifest has %d entries, want 1300", got)
	}
}

func TestUnreadableFilesHealTogether(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for i := range 200 {
		a.write(fmt.Sprintf("file %03d", i), fmt.Sprint(i))
	}
	a.refuse("file 007", fs.ErrPermission)
	a.refuse("file 011", errors.New("bad sector"))

	_, err := a.run()
	a.wantError(err, `file 007": permission denied (3 attempts)`, `file 011": bad sector (3 attempts)`, "run the same command again", "--skip-unreadable")
	if _, err := os.Stat(manifestPath(a.dest)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a manifest of an archive that is not complete")
	}
	a.allow("file 007")
	a.allow("file 011")
	if out := a.mustRun(); !strings.Contains(out, "Going on with") {
		t.Errorf("it does not say that it goes on:\n%s", out)
	}
	checkContents(t, a.source, a.dest)
	for name, times := range a.opened {
		want := 1
		if name == "file 007" || name == "file 011" {
			want = 4
		}
		if times != want {
			t.Errorf("%s was opened %d times, want %d", name, times, want)
		}
	}
}

func TestFailsAgainWhileTheCauseIsThere(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.write("a", "x")
	a.refuse("a", fs.ErrPermission)
	for range 2 {
		_, err := a.run()
		a.wantError(err, `a": permission denied (3 attempts)`)
	}
}

func TestSkipUnreadableGoesOnWithTheSameArchive(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.write("a", "x")
	a.write("b", "x")
	a.refuse("b", fs.ErrPermission)
	_, err := a.run()
	a.wantError(err, `b": permission denied`)

	if out := a.mustRun("--skip-unreadable"); !strings.Contains(out, "1 left out") {
		t.Errorf("it does not say that a file was left out:\n%s", out)
	}
	entries := readManifest(t, a.dest)
	if len(entries) != 2 || entries[1].Path != "b" || entries[1].LeftOut != "permission denied" {
		t.Errorf("the manifest has %+v", entries)
	}
	if a.opened["a"] != 1 {
		t.Errorf("the readable file was opened %d times", a.opened["a"])
	}
}

func TestFileThatVanished(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.write("a", "x")
	a.refuse("a", &fs.PathError{Op: "open", Path: "a", Err: fs.ErrNotExist})
	_, err := a.run()
	a.wantError(err, `a": file does not exist`)
}

func TestFailedWriteNamesTheFile(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.write("a", "x")
	writeFile(t, filepath.Join(a.dest, "objects"), []byte("in the way"))
	_, err := a.run()
	a.wantError(err, filepath.Join(a.dest, "objects")+": not a directory")

	if err := os.Remove(filepath.Join(a.dest, "objects")); err != nil {
		t.Fatal(err)
	}
	a.mustRun()
	checkContents(t, a.source, a.dest)
}

func TestFinishedArchive(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.write("a", "x")
	a.mustRun()
	if out := a.mustRun(); !strings.Contains(out, "Nothing to do") || !strings.Contains(out, "1 file, 1 byte in") {
		t.Errorf("it does not say that it is complete:\n%s", out)
	}
	a.wantOpened("a", 1)

	a.write("b", "x")
	a.mustRun("--fresh")
	a.wantOpened("a", 2)
	if out := a.mustRun(); !strings.Contains(out, "Nothing to do") || !strings.Contains(out, "2 files") {
		t.Errorf("it does not mean the newest archive:\n%s", out)
	}
	a.mustRun("--id", "another")
	a.wantOpened("a", 3)

	a.source = t.TempDir()
	_, err := a.run("--id", "another")
	a.wantError(err, `"another" is an archive of other folders`)
}

func TestFreshDoesNotOvertakeAnUnfinishedArchive(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.write("a", "x")
	ctx, cancel := context.WithCancel(t.Context())
	a.onOpen = cancel
	if _, err := a.runContext(ctx); !errors.Is(err, errInterrupted) {
		t.Fatalf("it was not interrupted: %v", err)
	}
	_, err := a.run("--fresh")
	a.wantError(err, "leaving --fresh out")
	a.mustRun()
}

func TestDestinationWasEmptied(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.write("a", "x")
	a.write("b", "y")
	a.refuse("b", fs.ErrPermission)
	_, err := a.run()
	a.wantError(err, "permission denied")
	a.empty()
	a.allow("b")
	_, err = a.run()
	a.wantError(err, `"a" was compressed and is no longer there`, "--fresh")
	a.mustRun("--fresh")

	a.empty()
	_, err = a.run()
	a.wantError(err, "was completed", "no longer there", "--fresh")
}

func TestSizesAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 1 << 40: "1.1 TB", 1<<63 - 1: "9.2 EB",
	} {
		if got := size(bytes); got != want {
			t.Errorf("%d bytes are %q, want %q", bytes, got, want)
		}
	}
}

// archived is an archive in a test, with a disk that can refuse files and counts how often each is opened.
type archived struct {
	*testing.T
	source, dest, db string
	onOpen           func()

	mu      sync.Mutex
	refused map[string]error
	opened  map[string]int
}

func newArchive(t *testing.T) *archived {
	dir := t.TempDir()
	return &archived{
		T: t, source: t.TempDir(), dest: filepath.Join(dir, "dest"), db: filepath.Join(dir, "archive.sqlite"),
		refused: map[string]error{}, opened: map[string]int{},
	}
}

func (a *archived) write(name, content string) {
	a.Helper()
	writeFile(a.T, filepath.Join(a.source, name), []byte(content))
}

func (a *archived) refuse(name string, err error) { a.refused[name] = err }
func (a *archived) allow(name string)             { delete(a.refused, name) }

func (a *archived) empty() {
	a.Helper()
	if err := os.RemoveAll(a.dest); err != nil {
		a.Fatal(err)
	}
}

func (a *archived) open(path string) (io.ReadCloser, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := filepath.Base(path)
	a.opened[name]++
	if a.onOpen != nil {
		a.onOpen()
	}
	if err := a.refused[name]; err != nil {
		return nil, err
	}
	return openFile(path)
}

func (a *archived) run(flags ...string) (string, error) { return a.runContext(a.Context(), flags...) }

func (a *archived) runContext(ctx context.Context, flags ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	err := run(ctx, append([]string{"--db", a.db, a.source, a.dest}, flags...), a.open, &stdout, &stderr)
	return stdout.String(), err
}

func (a *archived) mustRun(flags ...string) string {
	a.Helper()
	out, err := a.run(flags...)
	if err != nil {
		a.Fatal(err)
	}
	return out
}

func (a *archived) wantError(err error, parts ...string) {
	a.Helper()
	if err == nil {
		a.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			a.Errorf("the error does not say %q:\n%v", part, err)
		}
	}
}

func (a *archived) wantOpened(name string, times int) {
	a.Helper()
	if a.opened[name] != times {
		a.Errorf("%s was opened %d times, want %d", name, a.opened[name], times)
	}
}

func readManifest(t *testing.T, dest string) []Entry {
	t.Helper()
	var entries []Entry
	for line := range bytes.Lines(readFile(t, manifestPath(dest))) {
		entries = append(entries, decode[Entry](t, line))
	}
	return entries
}

func decode[T any](t *testing.T, data []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	return v
}

func gunzip(t *testing.T, data []byte) []byte {
	t.Helper()
	unzip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unzip)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
