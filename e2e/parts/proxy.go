package parts

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy stands before a server that is reached by TCP, and makes it slow or cuts it off.
type Proxy struct {
	Addr string // host:port to connect to

	to    atomic.Pointer[string]
	delay atomic.Int64 // nanoseconds, each way
	down  atomic.Bool

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// StartProxy starts a proxy to a server at host:port, which ends with t. Where the server is can also be said later.
func StartProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), conns: map[net.Conn]bool{}}
	p.To(to)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !p.keep(c) {
				continue
			}
			serving.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		serving.Wait()
	})
	return p
}

// To says where the server is that new connections go to.
func (p *Proxy) To(address string) { p.to.Store(&address) }

// Delay makes every byte take so long, each way.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Cut ends all connections and refuses new ones until Mend.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down.Store(true)
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// Mend lets connections through again.
func (p *Proxy) Mend() { p.down.Store(false) }

func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down.Load() {
		_ = c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", *p.to.Load())
	if err != nil || !p.keep(server) {
		_ = client.Close()
		p.forget(client)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client) })
	both.Go(func() { p.pass(client, server) })
	both.Wait()
	p.forget(client)
	p.forget(server)
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// packet is what was read at one moment.
type packet struct {
	bytes []byte
	due   time.Time
}

// pass hands on what comes, each piece when its time has come: a delay does not make the line narrower.
func (p *Proxy) pass(to, from net.Conn) {
	defer to.Close()
	line := make(chan packet, 4096)
	go func() {
		defer close(line)
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if n > 0 {
				line <- packet{b[:n], time.Now().Add(time.Duration(p.delay.Load()))}
			}
			if err != nil {
				return
			}
		}
	}()
	broken := false
	for piece := range line {
		if broken {
			continue // what is left is read away, so that the reader ends
		}
		<-time.After(time.Until(piece.due))
		_, err := to.Write(piece.bytes)
		broken = err != nil && err != io.EOF
		if broken {
			_ = from.Close()
		}
	}
}
