package kit

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// Code says why a fetch failed; 0 stands for none. There are those that a model in Go can report.
type Code uint16

// The codes, by family: local, connect, send, head, body, meaning, other.
const (
	FdExhausted            Code = 1001
	PortExhausted          Code = 1002
	NoMemory               Code = 1004
	Deadline               Code = 1007
	ConnectRefused         Code = 1201
	ConnectTimeout         Code = 1202
	ConnectReset           Code = 1203
	ConnectUnreachable     Code = 1204
	SendTimeout            Code = 1302
	ClosedBeforeHeadFresh  Code = 1401
	ClosedBeforeHeadReused Code = 1402
	HeadTimeout            Code = 1403
	HeadMalformed          Code = 1404
	HeadTooLarge           Code = 1405
	BadStatusLine          Code = 1406
	FramingConflict        Code = 1407
	ResetInHead            Code = 1408
	TooManyInterim         Code = 1409
	BodyTruncated          Code = 1501
	ChunkMalformed         Code = 1502
	ChunkTruncated         Code = 1503
	BodyTimeout            Code = 1504
	BodyTooLarge           Code = 1505
	ResetInBody            Code = 1506
	BadEncoding            Code = 1507
	StatusUnexpected       Code = 1601
	RedirectUnexpected     Code = 1602
	BodyMismatch           Code = 1604
	TokenMismatch          Code = 1606
	Other                  Code = 1999
)

var whileConnecting = map[syscall.Errno]Code{
	syscall.ECONNREFUSED:  ConnectRefused,
	syscall.ETIMEDOUT:     ConnectTimeout,
	syscall.ECONNRESET:    ConnectReset,
	syscall.ECONNABORTED:  ConnectReset,
	syscall.EHOSTUNREACH:  ConnectUnreachable,
	syscall.ENETUNREACH:   ConnectUnreachable,
	syscall.EADDRNOTAVAIL: PortExhausted,
	syscall.EMFILE:        FdExhausted,
	syscall.ENFILE:        FdExhausted,
	syscall.ENOMEM:        NoMemory,
	syscall.ENOBUFS:       NoMemory,
}

// WhileConnecting returns the code for an error met while connecting.
func WhileConnecting(err error) Code {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if code, known := whileConnecting[errno]; known {
			return code
		}
		return Other
	}
	if isTimeout(err) {
		return ConnectTimeout
	}
	return Other
}

// OfLibrary returns the code for an error of a library: what the system says of it if it does, else
// another, which says how far the fetch had come.
func OfLibrary(err error, otherwise Code) Code {
	var connecting *net.OpError
	inBody := otherwise/100 == 15
	switch {
	case isTimeout(err):
		return Deadline
	case errors.As(err, &connecting) && connecting.Op == "dial":
		return WhileConnecting(err)
	case errors.Is(err, io.ErrUnexpectedEOF) && inBody:
		return BodyTruncated
	case errors.Is(err, syscall.ECONNRESET) && inBody:
		return ResetInBody
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ClosedBeforeHeadFresh
	default:
		return otherwise
	}
}

// StatusFault returns the code for a status that is not 200.
func StatusFault(status int) Code {
	switch {
	case status == 200:
		return 0
	case status >= 300 && status < 400 && status != 304:
		return RedirectUnexpected
	default:
		return StatusUnexpected
	}
}

// lostBeforeHead returns the code for a connection lost before the first byte of a reply.
func lostBeforeHead(reused bool) Code {
	if reused {
		return ClosedBeforeHeadReused
	}
	return ClosedBeforeHeadFresh
}

// isTimeout returns whether a limit of time has passed.
func isTimeout(err error) bool {
	var timed net.Error
	return errors.As(err, &timed) && timed.Timeout()
}
