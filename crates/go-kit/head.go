package kit

import "bytes"

// headBytesMax is the length of the longest head.
const headBytesMax = 64 * 1024

// fieldsMax is the most fields of a head.
const fieldsMax = 100

// statusBegins is how the first line of a good reply begins.
const statusBegins = "HTTP/1.1 200"

// isToken says which bytes the name of a field has, isText which its value has (RFC 9110 section
// 5.6.2 and 5.5).
var isToken, isText = tables()

// field is one field of a head.
type field struct{ name, value []byte }

// head is what the head of a reply says.
type head struct {
	status     int
	hasStatus  bool
	persistent bool
	echoes     bool
	encoded    bool
	isChunked  bool
	hasLength  bool
	length     uint64
	fields     [fieldsMax]field
	count      int
}

// parse reads a head from its first byte on and returns how many it has; 0 while it is incomplete.
// What is malformed is noticed as soon as it has come, as httparse does.
func (h *head) parse(input []byte, id uint64) (end int, code Code) {
	limited := input[:min(len(input), headBytesMax)]
	h.hasStatus, h.count = false, 0
	for {
		length := bytes.IndexByte(limited[end:], '\n')
		if length < 0 {
			break
		}
		line := withoutReturn(limited[end : end+length])
		end += length + 1
		if len(line) == 0 {
			if h.hasStatus {
				return end, h.understand(id)
			}
			continue
		}
		if code := h.take(line); code != 0 {
			return 0, code
		}
	}
	if code := h.checkBeginning(limited[end:]); code != 0 {
		return 0, code
	}
	if len(input) >= headBytesMax {
		return 0, HeadTooLarge
	}
	return 0, 0
}

// hasBody returns whether a body can follow this status.
func (h *head) hasBody() bool {
	return h.status >= 200 && h.status != 204 && h.status != 304
}

// take takes a line that is not empty.
func (h *head) take(line []byte) Code {
	if !h.hasStatus {
		return h.takeStatus(line)
	}
	own, ok := parseField(line)
	if !ok {
		return HeadMalformed
	}
	if h.count == fieldsMax {
		return HeadTooLarge
	}
	h.fields[h.count] = own
	h.count++
	return 0
}

// takeStatus takes the first line.
func (h *head) takeStatus(line []byte) Code {
	if len(line) < len(statusBegins) || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return BadStatusLine
	}
	status := 0
	for _, digit := range line[9:12] {
		if digit < '0' || digit > '9' {
			return BadStatusLine
		}
		status = status*10 + int(digit-'0')
	}
	isVersion := line[7] == '0' || line[7] == '1'
	isEnd := len(line) == 12 || line[12] == ' ' && all(line[12:], &isText)
	if !isVersion || !isEnd {
		return BadStatusLine
	}
	h.status, h.hasStatus, h.persistent = status, true, line[7] == '1'
	return 0
}

// checkBeginning checks what has come of a line: it is completed as the first line, or as a field.
func (h *head) checkBeginning(line []byte) Code {
	switch {
	case len(line) == 0 || string(line) == "\r":
		return 0
	case !h.hasStatus:
		rest := statusBegins[min(len(line), len(statusBegins)):]
		var whole head
		return whole.takeStatus(withoutReturn(append(bytes.Clone(line), rest...)))
	case bytes.IndexByte(line, ':') < 0:
		if !all(line, &isToken) {
			return HeadMalformed
		}
	default:
		if _, ok := parseField(withoutReturn(line)); !ok {
			return HeadMalformed
		}
	}
	return 0
}

// understand reads what the fields say.
func (h *head) understand(id uint64) Code {
	h.echoes, h.encoded, h.isChunked, h.hasLength = false, false, false, false
	if h.status < 100 {
		return BadStatusLine
	}
	for _, own := range h.fields[:h.count] {
		switch {
		case is(own.name, "content-length"):
			length, ok := number(own.value)
			if !ok || h.hasLength && h.length != length {
				return FramingConflict
			}
			h.length, h.hasLength = length, true
		case is(own.name, "transfer-encoding"):
			if h.isChunked || !is(own.value, "chunked") {
				return FramingConflict
			}
			h.isChunked = true
		case is(own.name, IDField):
			h.echoes = repeats(own.value, id)
		case is(own.name, "connection"):
			h.persistent = h.persistent && !hasToken(own.value, "close")
		case is(own.name, "content-encoding"):
			h.encoded = h.encoded || !is(own.value, "identity")
		}
	}
	if h.hasBody() && h.hasLength == h.isChunked {
		return FramingConflict
	}
	return 0
}

// parseField returns name and value of a field.
func parseField(line []byte) (field, bool) {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 || !all(line[:colon], &isToken) || !all(line[colon+1:], &isText) {
		return field{}, false
	}
	return field{line[:colon], bytes.Trim(line[colon+1:], "\t ")}, true
}

// is returns whether a text is this one, which is in lower case.
func is(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for at, b := range text {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != lower[at] {
			return false
		}
	}
	return true
}

// number returns the number that decimal digits say, if it has 64 bits.
func number(digits []byte) (value uint64, ok bool) {
	const most = ^uint64(0)
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		next := uint64(digit - '0')
		if value > (most-next)/10 {
			return 0, false
		}
		value = value*10 + next
	}
	return value, len(digits) > 0
}

// repeats returns whether a text is this id in decimal, with no sign and no leading zero.
func repeats(text []byte, id uint64) bool {
	value, ok := number(text)
	return ok && value == id && (len(text) == 1 || text[0] != '0')
}

// hasToken returns whether a list of tokens has this one, which is in lower case.
func hasToken(list []byte, lower string) bool {
	for _, token := range bytes.Split(list, []byte{','}) {
		if is(bytes.TrimSpace(token), lower) {
			return true
		}
	}
	return false
}

// withoutReturn returns a line without the carriage return at its end.
func withoutReturn(line []byte) []byte {
	if last := len(line) - 1; last >= 0 && line[last] == '\r' {
		return line[:last]
	}
	return line
}

// all returns whether all bytes are in a table.
func all(text []byte, table *[256]bool) bool {
	for _, b := range text {
		if !table[b] {
			return false
		}
	}
	return true
}

// tables returns the bytes of tokens and those of texts.
func tables() (token, text [256]bool) {
	for b := range 256 {
		letter := b|0x20 >= 'a' && b|0x20 <= 'z'
		token[b] = letter || b >= '0' && b <= '9'
		text[b] = b == '\t' || b >= ' ' && b != 0x7f
	}
	for _, b := range []byte("!#$%&'*+-.^_`|~") {
		token[b] = true
	}
	return token, text
}
