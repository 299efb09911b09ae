//go:build unix

package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// proxy stands between a process and the server, and can be bad at it.
type proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	conns   map[net.Conn]struct{} // both ends of all
	delay   time.Duration         // before each piece of data
	held    chan struct{}         // until it is closed nothing gets through, either way; nil where all does
	swallow bool                  // answers of the server are lost
}

func newProxy(ctx context.Context, target string) (*proxy, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]struct{}{}}
	go p.serve()
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) close() {
	p.listener.Close()
	p.heal()
	p.cut()
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.connect(client)
	}
}

func (p *proxy) connect(client net.Conn) {
	var d net.Dialer
	server, err := d.DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	p.mu.Unlock()
	go p.carry(server, client, false)
	p.carry(client, server, true)
}

// carry moves data one way until either end closes, and then closes both.
func (p *proxy) carry(to, from net.Conn, answers bool) {
	defer func() {
		to.Close()
		from.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, to)
		delete(p.conns, from)
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !p.passes(answers) {
			continue
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// passes waits as long as the line is slow or dead, and tells whether the data arrives at all.
func (p *proxy) passes(answer bool) bool {
	p.mu.Lock()
	delay, held, swallow := p.delay, p.held, p.swallow
	p.mu.Unlock()
	if delay > 0 {
		<-time.After(delay)
	}
	if held != nil {
		<-held
	}
	return !swallow || !answer
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *proxy) slow(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// hold lets nothing through, as a network that is split. New connections are accepted and get no answer.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(chan struct{})
	}
}

// loseAnswers lets what is asked through, and nothing back.
func (p *proxy) loseAnswers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.swallow = true
}

// heal ends what hold, slow and loseAnswers began.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.held)
		p.held = nil
	}
	p.delay, p.swallow = 0, false
}
