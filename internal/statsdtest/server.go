// Package statsdtest is a StatsD server for tests: it keeps the lines that a recorder sends, and reads them as a real
// server would.
package statsdtest

import (
	"bytes"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Server listens on loopback until the test ends.
type Server struct {
	conn  net.PacketConn
	ends  atomic.Int64 // lines of Drain that were read
	mu    sync.Mutex
	lines []string
}

// Listen starts a server that keeps every line.
func Listen(t testing.TB) *Server {
	t.Helper()
	s := Deaf(t)
	go s.read(func(line []byte) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lines = append(s.lines, string(line))
	})
	return s
}

// Each starts a server that calls f for each line, one after the other, and keeps none.
func Each(t testing.TB, f func(line []byte)) *Server {
	t.Helper()
	s := Deaf(t)
	go s.read(f)
	return s
}

// Deaf is a server that does not read, and so allocates nothing.
func Deaf(t testing.TB) *Server {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{conn: conn}
	t.Cleanup(s.Close)
	if u, ok := conn.(*net.UDPConn); ok {
		_ = u.SetReadBuffer(4 << 20)
	}
	return s
}

// Packet waits for a packet to a server that does not read, and gives its size.
func (s *Server) Packet(t testing.TB) int {
	t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, _, err := s.conn.ReadFrom(make([]byte, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (s *Server) read(f func(line []byte)) {
	packet := make([]byte, 1<<16)
	for {
		n, _, err := s.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		for line := range bytes.SplitSeq(packet[:n], []byte("\n")) {
			if string(line) == end {
				s.ends.Add(1)
				continue
			}
			f(line)
		}
	}
}

// Close has nobody listen at the address any more.
func (s *Server) Close() { _ = s.conn.Close() }

// Address is where the server listens, as host:port.
func (s *Server) Address() string { return s.conn.LocalAddr().String() }

// Lines are those that have arrived, in that order.
func (s *Server) Lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

// Forget forgets what has arrived.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = nil
}

// end is a line of the test's own.
const end = "end:1|c"

// Drain waits until what was sent has been read, or lost: it sends a line until one arrives, which is after all others.
func (s *Server) Drain(t testing.TB) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "udp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	before := s.ends.Load()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		if s.ends.Load() > before {
			return
		}
		if _, err := conn.Write([]byte(end)); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the server did not read on within 30s")
}

// Count waits until the counts of a name add up to a number, at most half a minute. A recorder may send them in several
// lines.
func (s *Server) Count(t testing.TB, name string, want int) {
	t.Helper()
	sum := 0
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(time.Millisecond) {
		sum = 0
		for _, line := range s.Lines() {
			if rest, ok := strings.CutPrefix(line, name+":"); ok {
				n, err := strconv.Atoi(strings.TrimSuffix(rest, "|c"))
				if err != nil {
					t.Fatalf("line %q: %v", line, err)
				}
				sum += n
			}
		}
		if sum == want {
			return
		}
	}
	t.Fatalf("%s is %d after 30s, want %d", name, sum, want)
}

// Until waits for a line, at most half a minute, and returns all that have arrived by then.
func (s *Server) Until(t testing.TB, line string) []string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(time.Millisecond) {
		if lines := s.Lines(); slices.Contains(lines, line) {
			return lines
		}
	}
	t.Fatalf("%s did not arrive within 30s:\n%s", line, strings.Join(s.Lines(), "\n"))
	return nil
}
