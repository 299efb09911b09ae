// Package parts starts the real programs that Stent is tested with: it builds each once, from its Go module in
// tools/NAME, and starts it on free ports of the loopback interface.
package parts
