package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/internal/pgtest"
)

// measurement is what one round of one row came to.
type measurement struct {
	Engine, Row string
	Ops         int64
	Seconds     float64
	PerOp       counters
	Claim       float64   // milliseconds of a claim and of giving the task back, where the row measures that; median
	Millis      []float64 `json:",omitempty"` // from starts to begins, sorted, where the row measures that
	Signal      float64   // seconds of CPU that a signal took, of an operation; where that was asked
	Missing     bool      // the engine cannot do this
}

func (m measurement) rate() float64 { return float64(m.Ops) / m.Seconds }

// timeout of one measurement's process, above what it is told to measure: to fill tables takes long.
const timeout = 15 * time.Minute

// measureApart runs one round in a process of its own, on an empty database.
func measureApart(ctx context.Context, s *server, e engine, r row, length time.Duration, more ...string) (m measurement, err error) {
	address, drop, err := s.fresh(ctx, r.kind)
	if err != nil {
		return m, err
	}
	defer drop()
	self, err := os.Executable()
	if err != nil {
		return m, err
	}
	ctx, cancel := context.WithTimeout(ctx, 6*length+timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, append([]string{"measure", "-engine", e.name, "-row", r.name, "-address", address, "-for", length.String()}, more...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return m, fmt.Errorf("%s, %s: %w: %s", e.name, r.name, err, last(errs.String()))
	}
	return m, json.Unmarshal(out.Bytes(), &m)
}

func last(text string) string {
	if len(text) > 1000 {
		text = text[len(text)-1000:]
	}
	return strings.TrimSpace(text)
}

// measureHere is the process of one round.
func measureHere(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("measure", flag.ContinueOnError)
	engineName := flags.String("engine", "stent", "whose")
	rowName := flags.String("row", "", "which row")
	address := flags.String("address", "", "of an empty database")
	length := flags.Duration("for", 2*time.Second, "how long")
	cpu := flags.String("cpuprofile", "", "a file for a profile")
	allocs := flags.String("memprofile", "", "likewise, of allocations")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e, err := find(*engineName)
	if err != nil {
		return err
	}
	w, err := findRow(*rowName)
	if err != nil {
		return err
	}
	if *cpu != "" {
		f, err := os.Create(*cpu)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	m, err := measure(ctx, e, w, target{w.kind, *address, !w.normal}, *length)
	if err != nil {
		return err
	}
	if *allocs != "" {
		f, err := os.Create(*allocs)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.Lookup("allocs").WriteTo(f, 0); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

func measure(ctx context.Context, e engine, w row, t target, length time.Duration) (measurement, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &round{target: t, engine: e, length: length}
	var err error
	if w.counted {
		if r.way, err = pgtest.Count(ctx, t.address); err != nil {
			return measurement{}, err
		}
		t.address = r.way.DSN
	}
	if r.session, err = e.open(ctx, t); err == nil {
		err = w.work(ctx, r)
	}
	if errors.Is(err, errNotHad) {
		return measurement{Engine: e.name, Row: w.name, Missing: true}, nil
	}
	if err != nil {
		return measurement{}, err
	}
	return measurement{
		Engine: e.name, Row: w.name, Ops: r.ops, Seconds: r.took.Seconds(), PerOp: r.after.minus(r.before).over(float64(max(r.ops, 1))),
		Claim: r.claim, Millis: r.millis,
	}, nil // without Close: some peers take half a minute for it
}

// serveHere is another worker process of a row.
func serveHere(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	engineName := flags.String("engine", "stent", "whose")
	kind := flags.String("kind", "postgres", "of database")
	address := flags.String("address", "", "of the database")
	full := flags.Bool("full", true, "SQLite: synchronous=FULL")
	flowsToo := flags.Bool("flows", false, "serve workflows too")
	startsOnly := flags.Bool("starts", false, "serve starts, and write a line for each begin")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e, err := find(*engineName)
	if err != nil {
		return err
	}
	s, err := e.open(ctx, target{*kind, *address, *full})
	if err != nil {
		return err
	}
	if s, ok := s.(starter); ok && *startsOnly {
		if err := s.ServeStarts(ctx, (&gauge{}).print); err != nil {
			return err
		}
		fmt.Println("ready")
		<-ctx.Done()
		return nil
	}
	switch s := s.(type) {
	case remoter:
		if *flowsToo {
			err = s.Serve(ctx)
		} else {
			err = s.ServeRemote(ctx)
		}
	case flower:
		err = s.Serve(ctx)
	default:
		return errNotHad
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// server makes empty databases.
type server struct {
	dsn     string
	version string
	dir     string // for SQLite's files
}

// fresh makes an empty database; drop removes it.
func (s *server) fresh(ctx context.Context, kind string) (address string, drop func(), err error) {
	name := fmt.Sprintf("bench_%016x", rand.Uint64())
	if kind == "sqlite" {
		dir, err := os.MkdirTemp(s.dir, "bench-")
		return filepath.Join(dir, name+".sqlite"), func() { _ = os.RemoveAll(dir) }, err
	}
	if err := s.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", nil, err
	}
	if err := s.exec(ctx, "CHECKPOINT"); err != nil { // so that all begin alike: the first change of a page after one is dear
		return "", nil, err
	}
	u, err := url.Parse(s.dsn)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() {
		_ = s.exec(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}, nil
}

func (s *server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
