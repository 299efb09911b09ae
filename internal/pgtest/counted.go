package pgtest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// Counted is a way to a server that counts how often it is asked for an answer: simple queries, and the ends of others,
// however many statements a client sends at once. The server's own figures come too late: a session that falls idle
// tells of its last transactions ten seconds afterwards.
type Counted struct {
	// DSN is the database's by this way, which does without encryption.
	DSN string
	// Asked is how often the server was asked so far.
	Asked atomic.Int64

	listener net.Listener
	server   string
	open     sync.WaitGroup
}

// Count opens a way to a database, until it is closed.
func Count(ctx context.Context, dsn string) (*Counted, error) {
	address, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &Counted{listener: l, server: address.Host}
	query := address.Query()
	query.Set("sslmode", "disable")
	address.Host, address.RawQuery = l.Addr().String(), query.Encode()
	c.DSN = address.String()
	c.open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			c.open.Go(func() { c.pass(client) })
		}
	})
	return c, nil
}

// Close ends the way and waits until those who use it have gone.
func (c *Counted) Close() error {
	err := c.listener.Close()
	c.open.Wait()
	return err
}

func (c *Counted) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.server) //nolint:noctx // on loopback
	if err != nil {
		return
	}
	defer server.Close()
	c.open.Go(func() { _, _ = io.Copy(client, server) })
	c.count(io.TeeReader(client, server))
}

// count reads what a client sends: https://www.postgresql.org/docs/current/protocol-message-formats.html.
func (c *Counted) count(r io.Reader) {
	for kind := make([]byte, 0, 1); ; kind = kind[:1] { // a message has a kind, but for the first
		var length uint32
		if _, err := io.ReadFull(r, kind); err != nil || binary.Read(r, binary.BigEndian, &length) != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, r, int64(length)-4); err != nil {
			return
		}
		if k := string(kind); k == "Q" || k == "S" {
			c.Asked.Add(1)
		}
	}
}
