package kit

import (
	"bytes"
	"hash/crc32"
)

// bodyBytesMax is the length of the longest body.
const bodyBytesMax = 16 * 1024 * 1024

// interimMax is the most interim replies before the final one.
const interimMax = 16

// beginning is what every reply begins with.
const beginning = "HTTP/"

// Loss says why no more bytes come.
type Loss uint8

// The ways in which a connection is lost.
const (
	Closed Loss = iota
	Reset
	TimedOut
)

// Reply is one HTTP/1.1 reply, read from bytes as they come, as strictly as the shared core does.
type Reply struct {
	// Fault is what status and head have shown already, though the body is still read.
	Fault Code
	// Extra is how many bytes came before or after it that belong to no reply.
	Extra int
	// Length and Checksum are those of the body so far.
	Length   uint64
	Checksum uint32
	// Persistent says whether the connection may be used again.
	Persistent bool

	id      uint64
	reused  bool
	seeks   bool
	hasHead bool
	interim int
	left    uint64
	held    []byte
	head    head
	chunked chunked
}

// Start begins before the first byte of the reply to an id; reused says whether the connection has
// carried a reply, after which more bytes may have come.
func (r *Reply) Start(id uint64, reused bool) {
	r.Fault, r.Extra, r.Length, r.Checksum, r.Persistent = 0, 0, 0, 0, false
	r.id, r.reused, r.seeks, r.hasHead = id, reused, reused, false
	r.interim, r.left, r.held, r.chunked = 0, 0, r.held[:0], chunked{}
}

// Read reads what has come, and returns whether the reply is whole.
func (r *Reply) Read(input []byte) (whole bool, code Code) {
	if r.seeks {
		if input, code = r.own(input); r.seeks || code != 0 {
			return false, code
		}
	}
	for !r.hasHead {
		if r.isOddBeginning(input) {
			return false, BadStatusLine
		}
		before := len(r.held)
		// A head that comes in one piece, as nearly all do, is read where it lies.
		text := input
		if before > 0 {
			r.held = append(r.held, input...)
			text = r.held
		}
		end, code := r.head.parse(text, r.id)
		if code != 0 {
			return false, code
		}
		if end == 0 {
			if before == 0 {
				r.held = append(r.held, input...)
			}
			return false, 0
		}
		input, r.held = input[end-before:], r.held[:0]
		if code := r.takeHead(); code != 0 {
			return false, code
		}
	}
	return r.readBody(input)
}

// Lost returns the code for losing the connection here.
func (r *Reply) Lost(loss Loss) Code {
	switch {
	case r.Fault != 0:
		return r.Fault
	case r.seeks && r.Extra > 0:
		return BadStatusLine
	case !r.hasHead && loss == TimedOut:
		return HeadTimeout
	case !r.hasHead && len(r.held) == 0 && r.interim == 0:
		return lostBeforeHead(r.reused)
	case !r.hasHead && loss == Reset:
		return ResetInHead
	case !r.hasHead:
		return HeadMalformed
	case loss == TimedOut:
		return BodyTimeout
	case loss == Reset:
		return ResetInBody
	case r.head.isChunked:
		return ChunkTruncated
	default:
		return BodyTruncated
	}
}

// own skips what came late after the reply before, and returns the bytes of this one.
func (r *Reply) own(input []byte) ([]byte, Code) {
	if len(r.held) == 0 && bytes.HasPrefix(input, []byte(beginning)) {
		r.seeks = false
		return input, 0
	}
	held := append(bytes.Clone(r.held), input...)
	begins := bytes.Index(held, []byte(beginning))
	if begins >= 0 {
		r.seeks, r.held = false, r.held[:0]
		r.Extra += begins
		return held[begins:], 0
	}
	end := max(0, len(held)-len(beginning))
	for !bytes.HasPrefix([]byte(beginning), held[end:]) {
		end++
	}
	r.held = append(r.held[:0], held[end:]...)
	r.Extra += end
	if r.Extra > headBytesMax {
		return nil, BadStatusLine
	}
	return nil, 0
}

// isOddBeginning returns whether an empty line comes before the first head, where it belongs to no
// reply.
func (r *Reply) isOddBeginning(input []byte) bool {
	isFirst := len(r.held) == 0 && r.interim == 0 && len(input) > 0
	return isFirst && (input[0] == '\r' || input[0] == '\n')
}

// takeHead moves on from a head to its body, or from an interim head to the next.
func (r *Reply) takeHead() Code {
	head := &r.head
	if head.status < 200 && head.status != 101 {
		r.interim++
		if r.interim > interimMax {
			return TooManyInterim
		}
		return 0
	}
	r.hasHead = true
	// After a switch of protocols the connection speaks no HTTP any more.
	r.Persistent = head.persistent && head.status != 101
	r.Fault = StatusFault(head.status)
	switch {
	case r.Fault != 0:
	case head.encoded:
		r.Fault = BadEncoding
	case !head.echoes:
		r.Fault = TokenMismatch
	}
	if !head.hasBody() {
		head.isChunked = false
		return 0
	}
	if !head.isChunked {
		r.left = head.length
	}
	if r.left > bodyBytesMax {
		return BodyTooLarge
	}
	return 0
}

// readBody reads what has come of the body.
func (r *Reply) readBody(input []byte) (whole bool, code Code) {
	used := 0
	if r.head.isChunked {
		for used < len(input) && r.chunked.place != atEnd {
			run, length, code := r.chunked.step(input[used:])
			if code == 0 {
				code = r.add(run)
			}
			if code != 0 {
				return false, code
			}
			used += length
		}
		whole = r.chunked.place == atEnd
	} else {
		used = int(min(r.left, uint64(len(input))))
		if code := r.add(input[:used]); code != 0 {
			return false, code
		}
		r.left -= uint64(used)
		whole = r.left == 0
	}
	if whole {
		r.Extra += len(input) - used
	}
	return whole, 0
}

// add takes a run of the body.
func (r *Reply) add(run []byte) Code {
	r.Length += uint64(len(run))
	if r.Length > bodyBytesMax {
		return BodyTooLarge
	}
	r.Checksum = crc32.Update(r.Checksum, crc32.IEEETable, run)
	return 0
}
