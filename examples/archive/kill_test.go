package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

const (
	killedArchives  = 4
	killsPerArchive = 5 // at random points, and one more when all files have been read
	filesInTree     = 300
)

// TestKilledAtRandomPointsCompressesNothingTwice kills the process, with SIGKILL, again and again. In the end the
// archive is that of an undisturbed run, and no file was read again after the database held that it was done.
//
// What was read is told by the ledger that the process writes as it opens and closes files; what the database holds is
// read from its file while no process is alive.
func TestKilledAtRandomPointsCompressesNothingTwice(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("STENT_ARCHIVE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("STENT_ARCHIVE_SEED=%d", seed)

	source := makeTree(t, rand.New(rand.NewPCG(seed, 0)))
	undisturbed := t.TempDir()
	command(t, buildProgram(t), "--db", filepath.Join(undisturbed, "archive.sqlite"), source, filepath.Join(undisturbed, "dest"))
	want := readFile(t, manifestPath(filepath.Join(undisturbed, "dest")))

	for i := range killedArchives {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, source)
			v.killAtRandomPoints(rand.New(rand.NewPCG(seed, uint64(i)+1)))
			v.start().mustFinish()
			if got := readFile(t, manifestPath(v.dest)); !bytes.Equal(got, want) {
				t.Errorf("the manifest differs from that of an undisturbed run:\n%s\nwant:\n%s", got, want)
			}
			checkContents(t, source, v.dest)
			v.checkNothingTwice()
		})
	}
}

// victim is an archive whose processes are killed.
type victim struct {
	*testing.T
	source, dest, db string
	ledger           ledger
	kills            []kill
}

// kill is what was known when a process had died.
type kill struct {
	lines     int             // of the ledger
	committed map[string]bool // files that the database holds as done
}

func newVictim(t *testing.T, source string) *victim {
	dir := t.TempDir()
	return &victim{
		T: t, source: source, dest: filepath.Join(dir, "dest"), db: filepath.Join(dir, "archive.sqlite"),
		ledger: ledger{filepath.Join(dir, "ledger")},
	}
}

func (v *victim) start(env ...string) *process {
	return startLedgered(v.T, v.ledger, env, "--db", v.db, v.source, v.dest)
}

// stand has a process stand before it writes more lines to the ledger than this.
func stand(lines int) string { return fmt.Sprint(standVariable, "=", lines) }

// killAtRandomPoints kills processes after so many more lines of the ledger that the archive cannot be complete
// before, from none, when the process has hardly begun, and at last one that has read all. A process does not get past
// its lines, however late the kill is.
func (v *victim) killAtRandomPoints(random *rand.Rand) {
	for range killsPerArchive {
		lines := len(v.ledger.read(v.T)) + random.IntN(2*filesInTree/killsPerArchive)
		v.killWhen(fmt.Sprintf("%d lines", lines), func(events []event) bool { return len(events) >= lines }, stand(lines))
	}
	v.killWhen("all files", func(events []event) bool {
		ended := map[string]bool{}
		for _, e := range events {
			if e.ended {
				ended[e.path] = true
			}
		}
		return len(ended) == filesInTree
	})
}

func (v *victim) killWhen(what string, reached func([]event) bool, env ...string) {
	p := v.start(env...)
	p.until("the ledger has "+what, func() bool { return reached(v.ledger.read(v.T)) })
	p.kill()
	k := kill{lines: len(v.ledger.read(v.T)), committed: v.committed()}
	v.kills = append(v.kills, k)
	v.Logf("killed %d when the ledger had %s: by its death %d, committed %d of %d files", p.cmd.Process.Pid, what, k.lines, len(k.committed), filesInTree)
}

// committed are the files that the database holds as done. No process is alive.
func (v *victim) committed() map[string]bool {
	db, err := sqlite.Open(v.Context(), v.db, sqlite.MustExist(), sqlite.NoMigrate())
	if errors.Is(err, backend.ErrSchemaMissing) {
		return nil // killed before it had made the database
	}
	if err != nil {
		v.Fatal(err)
	}
	defer db.Close()
	tasks, err := db.Tasks(v.Context(), backend.TaskFilter{States: []backend.State{backend.Completed}, Limit: 2 * filesInTree})
	if err != nil {
		v.Fatal(err)
	}
	done := map[string]bool{}
	for i := range tasks {
		if tasks[i].Step == compressFile.Name() {
			done[filepath.Join(v.source, string(decode[File](v.T, tasks[i].Input).Path))] = true
		}
	}
	return done
}

func (v *victim) checkNothingTwice() {
	events := v.ledger.read(v.T)
	for n, k := range v.kills {
		for _, e := range events[k.lines:] {
			if !e.ended && k.committed[e.path] {
				v.Errorf("%s was done when process %d was killed, and read again by process %d", e.path, n+1, e.pid)
			}
		}
	}
	read, most := map[string]int{}, 0
	for _, e := range events {
		if !e.ended {
			read[e.path]++
			most = max(most, read[e.path])
		}
	}
	again := len(events) - 2*filesInTree // lines; of each file there must be two
	v.Logf("%d kills; %d lines of the ledger are of attempts that were interrupted; one file was read %d times", len(v.kills), again, most)
	if len(read) != filesInTree {
		v.Errorf("%d files were read, want %d", len(read), filesInTree)
	}
	if held := len(v.kills[len(v.kills)-1].committed); held < filesInTree/2 || again == 0 {
		v.Errorf("the kills prove nothing: at the last, %d files were committed, and %d lines are of interrupted attempts", held, again)
	}
}

// TestInterruptedFinishesWhatIsUnderWay sends what Ctrl-C sends: the files under way are finished, so that not one is
// read twice.
func TestInterruptedFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	source := makeTree(t, rand.New(rand.NewPCG(1, 2)))
	v := newVictim(t, source)
	lease := leaseVariable + "=" + longLease.String()
	p := v.start(lease, stand(filesInTree/2))
	p.until("some files are done", func() bool { return len(v.ledger.read(t)) >= filesInTree/2 })
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Skipf("this system has no interrupts: %v", err)
	}
	if code := p.wait(); code != 130 {
		t.Errorf("exit code %d, want 130; it printed:\n%s", code, p.output.String())
	}
	if out := p.output.String(); !strings.Contains(out, "To go on, run the same command again") {
		t.Errorf("it does not say how to go on:\n%s", out)
	}
	v.start(lease).mustFinish()
	if got := len(v.ledger.read(t)); got != 2*filesInTree {
		t.Errorf("the ledger has %d lines, want two for each of %d files", got, filesInTree)
	}
	checkContents(t, source, v.dest)
}

// process is a running archive.
type process struct {
	*testing.T
	cmd    *exec.Cmd
	output bytes.Buffer
	ended  chan struct{}
}

func startProcess(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{T: t, cmd: exec.CommandContext(context.WithoutCancel(t.Context()), name, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

const patienceOfTests = 60 * time.Second

// until waits for a condition, or fails if the process ends or the time is over before.
func (p *process) until(what string, reached func() bool) {
	p.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patienceOfTests)
	for !reached() {
		select {
		case <-tick.C:
		case <-p.ended:
			if !reached() {
				p.Fatalf("the process ended before %s; it printed:\n%s", what, p.output.String())
			}
		case <-late:
			p.kill()
			p.Fatalf("%v over before %s; it printed:\n%s", patienceOfTests, what, p.output.String())
		}
	}
}

func (p *process) wait() (exitCode int) {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(patienceOfTests):
		p.kill()
		p.Fatalf("the process has not ended in %v; it printed:\n%s", patienceOfTests, p.output.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) mustFinish() {
	p.Helper()
	if code := p.wait(); code != 0 {
		p.Fatalf("exit code %d; it printed:\n%s", code, p.output.String())
	}
}

// command runs a program to its end and returns what it printed.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	p := startProcess(t, nil, name, args...)
	p.mustFinish()
	return p.output.String()
}

// checkContents reads every compressed file, and compares it with the source and the manifest.
func checkContents(t *testing.T, source, dest string) {
	t.Helper()
	for _, e := range readManifest(t, dest) {
		want := readFile(t, filepath.Join(source, string(e.Path)))
		sum := sha256.Sum256(want)
		if hash := hex.EncodeToString(sum[:]); hash != e.SHA256 || e.Size != int64(len(want)) {
			t.Errorf("%s: the manifest says %d bytes and %s, it has %d and %s", e.Path, e.Size, e.SHA256, len(want), hash)
		}
		packed := readFile(t, object(dest, e.SHA256))
		if int64(len(packed)) != e.Compressed {
			t.Errorf("%s: the manifest says %d compressed bytes, the object has %d", e.Path, e.Compressed, len(packed))
		}
		if got := gunzip(t, packed); !bytes.Equal(got, want) {
			t.Errorf("%s: what is decompressed differs from the source", e.Path)
		}
	}
	entries, err := os.ReadDir(dest)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("dest holds %v, want the manifest and the objects and nothing half-written", entries)
	}
}

// makeTree makes a folder of files of all sizes, some of them empty and some equal.
func makeTree(t *testing.T, random *rand.Rand) string {
	t.Helper()
	root := t.TempDir()
	bytesOf := rand.NewChaCha8([32]byte{})
	for i := range filesInTree {
		name := filepath.Join(root, strconv.Itoa(i%7), strconv.Itoa(i%3), fmt.Sprintf("file %d.txt", i))
		content := make([]byte, random.IntN(1<<random.IntN(17)))
		if i%2 == 0 {
			_, _ = io.ReadFull(bytesOf, content) // never fails
		}
		writeFile(t, name, content)
	}
	return root
}
