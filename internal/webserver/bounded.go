package webserver

import (
	"container/list"
	"net"
	"sync"
)

// bounded is a listener with at most limit open connections. A new connection is
// always taken; where there are too many, the oldest is closed. So connections
// that are held open do not keep others out.
type bounded struct {
	net.Listener
	limit int

	mu   sync.Mutex
	open list.List // of *connection, oldest first
}

// Accept waits for the next connection.
func (b *bounded) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, of: b}
	if oldest := b.add(c); oldest != nil {
		_ = oldest.Close() // its server learns of it by reading
	}
	return c, nil
}

// add adds a connection and returns the oldest, which makes room, if there are
// more than the limit.
func (b *bounded) add(c *connection) *connection {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.place = b.open.PushBack(c)
	if b.open.Len() <= b.limit {
		return nil
	}
	return b.open.Front().Value.(*connection)
}

// connection is a connection of a bounded listener.
type connection struct {
	net.Conn
	of    *bounded
	place *list.Element // in of.open
}

// Close closes the connection, which no longer counts. It may be called more than
// once.
func (c *connection) Close() error {
	c.of.mu.Lock()
	c.of.open.Remove(c.place) // does nothing the second time
	c.of.mu.Unlock()
	return c.Conn.Close()
}
