package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
)

// target is an empty database.
type target struct {
	kind    string // "postgres" or "sqlite"
	address string // a DSN or a path
	full    bool   // SQLite: synchronous=FULL, so that a commit is on disk; else NORMAL
}

// engine is one way to use a library.
type engine struct {
	name     string
	module   string // whose version is reported; "" for what is part of this repository
	settings string // for people
	kinds    []string
	// backlog is how many executions a row that begins with a backlog gives it, so that each is busy for a while.
	backlog int
	open    func(ctx context.Context, t target) (session, error)
}

// A session is an engine on a database, before it serves. What else it can do are the interfaces below.
type session interface{ Close() error }

// inserter starts executions that call nothing, durably and in batches as large as its users would make them. Nobody serves.
type inserter interface {
	session
	Insert(ctx context.Context, n int) error
}

// drainer begins to serve what was inserted, at most 100 at once, and calls done for each when it has run.
type drainer interface {
	inserter
	Drain(ctx context.Context, done func()) error
}

// flower serves workflows whose activities are called one after the other.
type flower interface {
	session
	Serve(ctx context.Context) error
	// Flow starts a workflow and returns when it has ended.
	Flow(ctx context.Context, activities int) error
}

// remoter is a flower whose activities run in another process, which does ServeRemote.
type remoter interface {
	flower
	ServeRemote(ctx context.Context) error
	ServeFlows(ctx context.Context) error
}

// starter tells when a start's first code ran: begun is called with what was given to Start, in nanoseconds since 1970.
type starter interface {
	session
	ServeStarts(ctx context.Context, begun func(sent int64)) error
	Start(ctx context.Context, sent int64) error
}

// idler serves and has nothing to do.
type idler interface {
	session
	Serve(ctx context.Context) error
}

var errNotHad = errors.New("not had")

func engines() []engine {
	return slices.Concat(limits(), stents(), rivers(), dboses(), goWorkflows(), durableTasks())
}

func find(name string) (engine, error) {
	for _, e := range slices.Concat(engines(), voices()) {
		if e.name == name {
			return e, nil
		}
	}
	return engine{}, fmt.Errorf("no engine %q", name)
}

// version is a module's version as it was built in.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok || module == "" {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return "?"
}

// startsApart tells whether what one process starts is served by another: DBOS runs a workflow where it is started.
func (e engine) startsApart(kind string) bool {
	return e.name == "stent" || e.name == "limit" && kind == "postgres" || e.module == "github.com/riverqueue/river"
}
