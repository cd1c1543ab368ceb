package kit

import (
	"errors"
	"io"
	"net"
)

const (
	// headRoomBytes is the room for what comes with a body: a head, and what may follow.
	headRoomBytes = 1024
	// receiveBytesMax is the most room for one read.
	receiveBytesMax = 16 * 1024
)

// Connection is that of a slot on the sockets of package net: made when there is none, and kept for
// the next fetch.
type Connection struct {
	socket   net.Conn
	isReused bool
	reply    Reply
	buffer   []byte
}

// Fetch carries the fetch of a slot to its end, whatever that is.
func (c *Connection) Fetch(slot *Slot) {
	reply := &c.reply
	if code := c.carry(slot); code != 0 {
		c.Close()
		slot.fail(code)
		return
	}
	if reply.Extra > 0 {
		slot.turns.ledger.followed.Add(1)
	}
	c.isReused = true
	if reply.Extra > 0 || !reply.Persistent {
		c.Close()
	}
	slot.settle(reply.Fault, reply.Length, reply.Checksum)
}

// Close drops the connection, if there is one.
func (c *Connection) Close() {
	if c.socket != nil {
		_ = c.socket.Close()
		c.socket = nil
	}
}

// carry connects where there is no connection, sends the request and reads the reply.
func (c *Connection) carry(slot *Slot) Code {
	if c.buffer == nil {
		c.buffer = make([]byte, min(slot.work.bodyBytes+headRoomBytes, receiveBytesMax))
	}
	deadline, isLimited := slot.Deadline()
	if c.socket == nil {
		// A period below zero asks for no probes of its own.
		socket, err := (&net.Dialer{Deadline: deadline, KeepAlive: -1}).Dial("tcp", slot.Origin)
		if err != nil {
			return WhileConnecting(err)
		}
		c.socket, c.isReused = socket, false
	}
	if isLimited {
		if err := c.socket.SetDeadline(deadline); err != nil {
			return lostBeforeHead(c.isReused)
		}
	}
	if _, err := c.socket.Write(slot.bytes()); err != nil {
		if isTimeout(err) {
			return SendTimeout
		}
		return lostBeforeHead(c.isReused)
	}
	return c.receive(slot.ID)
}

// receive reads the reply to an id.
func (c *Connection) receive(id uint64) Code {
	reply := &c.reply
	reply.Start(id, c.isReused)
	for {
		count, err := c.socket.Read(c.buffer)
		if count > 0 {
			whole, code := reply.Read(c.buffer[:count])
			if whole {
				return 0
			}
			if code != 0 && reply.Fault != 0 {
				return reply.Fault
			}
			if code != 0 {
				return code
			}
		}
		if err != nil {
			return reply.Lost(lossOf(err))
		}
	}
}

// lossOf returns why no more bytes come.
func lossOf(err error) Loss {
	switch {
	case errors.Is(err, io.EOF):
		return Closed
	case isTimeout(err):
		return TimedOut
	default:
		return Reset
	}
}
