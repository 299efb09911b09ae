package core

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Sample is what the sampler read from the database.
type Sample struct {
	// Err says that it could not be read; everything but At and Took is zero then, and gauges are to be withheld rather
	// than kept at what they were.
	Err  error
	At   time.Time     // by this process's clock
	Took time.Duration // to read it

	Stats     backend.Stats
	ClockSkew time.Duration // how far this process's clock is ahead of the database's
}
