package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// counters are what a machine has spent up to a moment. What cannot be known stays 0.
type counters struct {
	CPU       float64 // seconds of this process and of processes that it has waited for
	ServerCPU float64 // seconds of PostgreSQL's processes
	Commits   float64 // transactions that wrote
	Queries   float64 // PostgreSQL: all transactions, those that only read too
	WAL       float64 // bytes: PostgreSQL's log, or all that the process wrote to SQLite's files
	Fsyncs    float64 // PostgreSQL: of the log. SQLite: flushes of the device, whoever caused them
	Mallocs   float64 // of this process
}

func (c counters) minus(b counters) counters {
	return counters{
		c.CPU - b.CPU, c.ServerCPU - b.ServerCPU, c.Commits - b.Commits, max(c.Queries-b.Queries-ownQueries, 0), c.WAL - b.WAL, c.Fsyncs - b.Fsyncs, c.Mallocs - b.Mallocs,
	}
}

// ownQueries is how many transactions the first of two looks at the counters adds to the second.
const ownQueries = 2

func (c counters) over(n float64) counters {
	return counters{c.CPU / n, c.ServerCPU / n, c.Commits / n, c.Queries / n, c.WAL / n, c.Fsyncs / n, c.Mallocs / n}
}

// count reads all counters.
func count(ctx context.Context, t target) (c counters, err error) {
	switch t.kind {
	case "postgres":
		err = c.postgres(ctx, t.address)
	case "sqlite":
		err = c.sqlite(t.address)
	}
	if err != nil {
		return c, fmt.Errorf("counters: %w", err)
	}
	if c.CPU, err = processSeconds(os.Getpid()); err != nil {
		return c, fmt.Errorf("counters: %w", err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c.Mallocs = float64(m.Mallocs)
	return c, nil
}

// postgres reads the server's counters. A session reports its transactions with a delay of up to a second, but for the
// log's position and the transaction's number, which are exact.
func (c *counters) postgres(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var major int
	var pidFile string
	if err := conn.QueryRow(ctx, `
		SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8, pg_snapshot_xmax(pg_current_snapshot())::text::float8,
		       (SELECT (xact_commit + xact_rollback)::float8 FROM pg_stat_database WHERE datname = current_database()),
		       current_setting('server_version_num')::int / 10000, pg_read_file('postmaster.pid')`).
		Scan(&c.WAL, &c.Commits, &c.Queries, &major, &pidFile); err != nil {
		return err
	}
	switch {
	case major >= 18:
		err = conn.QueryRow(ctx, "SELECT coalesce(sum(fsyncs), 0)::float8 FROM pg_stat_io WHERE object = 'wal'").Scan(&c.Fsyncs)
	case major >= 14:
		err = conn.QueryRow(ctx, "SELECT wal_sync::float8 FROM pg_stat_wal").Scan(&c.Fsyncs)
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(pidFile, "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return fmt.Errorf("postmaster.pid says %q", first)
	}
	c.ServerCPU, err = familySeconds(pid)
	return err
}

// sqlite reads the number of transactions from the header of the WAL's index, which counts them, and what the process
// has written.
func (c *counters) sqlite(path string) error {
	if f, err := os.Open(path + "-shm"); err == nil {
		defer f.Close()
		var header [12]byte
		if _, err := f.ReadAt(header[:], 0); err == nil {
			c.Commits = float64(binary.NativeEndian.Uint32(header[8:12]))
		}
	}
	io, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(io)) {
		if v, ok := strings.CutPrefix(line, "wchar: "); ok {
			if c.WAL, err = strconv.ParseFloat(strings.TrimSpace(v), 64); err != nil {
				return err
			}
		}
	}
	c.Fsyncs = deviceFlushes()
	return nil
}

// deviceFlushes adds up the flushes of all disks; see Documentation/admin-guide/iostats.rst of Linux, field 16.
func deviceFlushes() (n float64) {
	files, _ := filepath.Glob("/sys/block/*/stat")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if fields := strings.Fields(string(data)); err == nil && len(fields) > 15 {
			v, _ := strconv.ParseFloat(fields[15], 64)
			n += v
		}
	}
	return n
}

const ticks = 100 // of the CPU in a second, as Linux reports them

// processSeconds is the CPU time of a process and of its children that have ended.
func processSeconds(pid int) (float64, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum / ticks, nil
}

// stat gives the fields of /proc/pid/stat after the command's name.
func stat(pid int) ([]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	_, rest, ok := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 15 {
		return nil, errors.New("a stat file that cannot be read")
	}
	return fields, nil
}

// familySeconds is processSeconds of a process and its living children.
func familySeconds(pid int) (float64, error) {
	sum, err := processSeconds(pid)
	if err != nil {
		return 0, err
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	words := bufio.NewScanner(f)
	words.Split(bufio.ScanWords)
	for words.Scan() {
		child, err := strconv.Atoi(words.Text())
		if err != nil {
			return 0, err
		}
		if v, err := processSeconds(child); err == nil { // it may have ended meanwhile
			sum += v
		}
	}
	return sum, words.Err()
}
