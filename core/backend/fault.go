package backend

import (
	"context"
	"errors"
)

// Fault is why a database could not do what it was asked to, as far as that tells who has to do what. The values are
// few and fixed, so that they are fit for a metric's label.
type Fault string

// The faults. Whatever the fault is, nothing that was reported as done is lost, and the engine tries again by itself.
const (
	FaultDiskFull    Fault = "disk_full"   // there is no room for what is to be written
	FaultReadOnly    Fault = "read_only"   // it takes no writes: a standby, or a file that nobody may write to
	FaultUnreachable Fault = "unreachable" // nobody answers, or the connection broke; also while a server starts or stops
	FaultConnections Fault = "connections" // it takes no more connections
	FaultLocked      Fault = "locked"      // another program holds a lock for too long
	FaultTimeout     Fault = "timeout"     // the answer took longer than it may
	FaultDenied      Fault = "denied"      // the user, the password or the user's rights
	FaultDamaged     Fault = "damaged"     // the disk gave an error, or what is on it is no database any more
	FaultOther       Fault = "other"
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{
		FaultDiskFull, FaultReadOnly, FaultUnreachable, FaultConnections, FaultLocked, FaultTimeout, FaultDenied, FaultDamaged, FaultOther,
	}
}

// NeedsSomebody tells a fault that stays until a person does something from one that may pass by itself.
func (f Fault) NeedsSomebody() bool {
	switch f {
	case FaultDiskFull, FaultReadOnly, FaultDenied, FaultDamaged:
		return true
	}
	return false
}

// FaultError is an error of a database whose fault is known.
type FaultError struct {
	Fault Fault
	Says  string // what is wrong, with what, and what helps
	Cause error  // as the driver has it; nil if it was not asked
}

func (e *FaultError) Error() string {
	if e.Cause == nil {
		return e.Says
	}
	return e.Says + " (" + e.Cause.Error() + ")"
}

// Unwrap is the driver's error.
func (e *FaultError) Unwrap() error { return e.Cause }

// FaultOf is the fault of an error that a backend returned; "" where there is no error.
func FaultOf(err error) Fault {
	var fault *FaultError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &fault):
		return fault.Fault
	case errors.Is(err, context.DeadlineExceeded):
		return FaultTimeout
	}
	return FaultOther
}
