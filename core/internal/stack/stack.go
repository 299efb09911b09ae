// Package stack saves goroutines that will go deep the copying of their stacks.
package stack

// Grow makes the stack of the calling goroutine 16 KiB large, which is what a statement takes on its way through a driver, or a
// handler with its codecs and middleware. A goroutine begins with 2 KiB and copies its stack whenever that is outgrown: three
// times here, of which the last ones have to go through many frames. Called first thing, there is next to nothing to copy.
func Grow() { _ = roomy(0) }

// roomy does not fit into 8 KiB, and a stack grows to a power of two that suffices.
//
//go:noinline
func roomy(i int) byte {
	var room [9 << 10]byte
	return room[i]
}
