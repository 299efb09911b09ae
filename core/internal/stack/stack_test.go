package stack_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/stentgo/stent/core/internal/stack"
)

// TestAGrownStackIsNotCopied looks where a variable of a goroutine is before and after a deep call: a stack that is copied
// takes it along.
func TestAGrownStackIsNotCopied(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the collector makes stacks smaller
	runtime.GC()                                     // and is not at it
	if !moves(func() {}) {
		t.Error("a new stack is not copied, so there is nothing to save")
	}
	if moves(stack.Grow) {
		t.Error("a stack that has been grown is copied all the same")
	}
}

func moves(first func()) bool {
	moved := make(chan bool)
	go func() {
		first()
		var here byte
		before := uintptr(unsafe.Pointer(&here))
		deep(0)
		moved <- uintptr(unsafe.Pointer(&here)) != before
	}()
	return <-moved
}

//go:noinline
func deep(i int) byte {
	var room [7 << 10]byte
	return room[i]
}
