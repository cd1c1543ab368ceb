package kit

// asideBytesMax is the longest that extensions, or trailers, of one body may be together.
const asideBytesMax = 64 * 1024

// place is how far into the chunked coding a reader is.
type place uint8

const (
	inSize place = iota
	inExtension
	atSizeEnd
	inData
	atDataReturn
	atDataEnd
	atLineStart
	inTrailerName
	inTrailerValue
	atTrailerEnd
	atLastEnd
	atEnd
	nowhere
)

// chunked is a body in the transfer coding of RFC 9112 section 7.1, read strictly and at any split.
type chunked struct {
	place  place
	digits int
	// The size of the chunk, or what is left of its data.
	size  uint64
	aside int
}

// step reads the first run of data, or the first byte that is none, and returns the run and how
// much it has read.
func (c *chunked) step(input []byte) (run []byte, used int, code Code) {
	if c.place != inData {
		return nil, 1, c.take(input[0])
	}
	length := min(c.size, uint64(len(input)))
	c.size -= length
	if c.size == 0 {
		c.place = atDataReturn
	}
	return input[:length], int(length), 0
}

// take takes one byte that is not data.
func (c *chunked) take(b byte) Code {
	before, next := c.place, nowhere
	if before == inSize {
		next = c.afterSize(b)
	} else {
		next = c.after(b)
		// Neither sizes nor data, of which a hostile origin has no end.
		if next == inExtension || next == inTrailerName || next == inTrailerValue {
			c.aside++
		}
	}
	if next == nowhere || c.aside > asideBytesMax {
		return ChunkMalformed
	}
	c.place = next
	return 0
}

// afterSize returns the place after one byte in or behind the size of a chunk.
func (c *chunked) afterSize(b byte) place {
	if digit, ok := hexDigit(b); ok {
		if c.digits == 16 {
			return nowhere
		}
		c.size, c.digits = c.size<<4|uint64(digit), c.digits+1
		return inSize
	}
	switch {
	case c.digits == 0:
		return nowhere
	case b == '\r':
		return atSizeEnd
	case b == ';':
		return inExtension
	default:
		return nowhere
	}
}

// after returns the place after one byte that is neither size nor data.
func (c *chunked) after(b byte) place {
	switch {
	case c.place == inExtension && b == '\r':
		return atSizeEnd
	case c.place == inExtension && isText[b]:
		return inExtension
	case c.place == atSizeEnd && b == '\n' && c.size > 0:
		return inData
	case c.place == atSizeEnd && b == '\n', c.place == atTrailerEnd && b == '\n':
		return atLineStart
	case c.place == atDataReturn && b == '\r':
		return atDataEnd
	case c.place == atDataEnd && b == '\n':
		c.digits = 0
		return inSize
	case c.place == atLineStart && b == '\r':
		return atLastEnd
	case c.place == atLineStart && isToken[b], c.place == inTrailerName && isToken[b]:
		return inTrailerName
	case c.place == inTrailerName && b == ':', c.place == inTrailerValue && isText[b]:
		return inTrailerValue
	case c.place == inTrailerValue && b == '\r':
		return atTrailerEnd
	case c.place == atLastEnd && b == '\n':
		return atEnd
	default:
		return nowhere
	}
}

// hexDigit returns the value of a hexadecimal digit, and whether it is one.
func hexDigit(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10, true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	default:
		return 0, false
	}
}
