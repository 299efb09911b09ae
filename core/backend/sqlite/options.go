package sqlite

import "time"

// Option is a choice at [Open].
type Option func(*options)

type options struct {
	synchronous Sync
	mustExist   bool
	noMigrate   bool
	clock       func() time.Time
	busy        time.Duration
	poll        time.Duration
	readers     int
}

func defaults() options {
	return options{synchronous: Full, clock: time.Now, busy: 10 * time.Second, poll: 15 * time.Millisecond, readers: 4}
}

// Sync is how far a commit has gone when it is reported.
type Sync string

const (
	// Full has it on the disk: a power cut loses nothing that was reported. It is the default.
	Full Sync = "FULL"
	// Normal has it with the operating system: a crash of the program loses nothing, a power cut may lose the last
	// commits, but never part of one.
	Normal Sync = "NORMAL"
)

// Synchronous chooses how far a commit has gone when it is reported. The default is [Full].
func Synchronous(s Sync) Option { return func(o *options) { o.synchronous = s } }

// MustExist makes it an error if the file is not there or is not Stent's. Without it, Open makes a new one.
func MustExist() Option { return func(o *options) { o.mustExist = true } }

// NoMigrate makes it backend.ErrSchemaOld if the file is older than this program, and implies [MustExist]. Without it,
// Open migrates the file.
func NoMigrate() Option { return func(o *options) { o.noMigrate, o.mustExist = true, true } }

// Clock is the database's clock; nil means [time.Now]. Handles on one file should have the same.
func Clock(now func() time.Time) Option {
	return func(o *options) {
		if now != nil {
			o.clock = now
		}
	}
}

// BusyTimeout is how long to wait while another process writes, before saying that the database is locked. The default
// is 10 s.
func BusyTimeout(d time.Duration) Option { return func(o *options) { o.busy = d } }

// WatchInterval is how often [DB.Watch] looks for what other processes wrote. The default is 15 ms; 0 means the default. While
// that brings work it looks up to eight times as often.
func WatchInterval(d time.Duration) Option {
	return func(o *options) {
		if d > 0 {
			o.poll = d
		}
	}
}
