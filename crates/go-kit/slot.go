package kit

import (
	"context"
	"hash/crc32"
	"strconv"
	"time"
)

// turns is what takes one turn after the other: a slot, or the probe task. A batch has no gate, as
// its one turn is taken from the beginning.
type turns struct {
	gate   *gate
	ledger *ledger
}

// next blocks until the next turn, and returns whether there is one.
func (t *turns) next() bool {
	if t.gate == nil {
		return false
	}
	t.ledger = t.gate.rest(t.ledger)
	return t.ledger != nil
}

// Slot is one of the places that a fetch can occupy. A model asks for `slot.Begin()` before each
// fetch, and leaves when that is false.
type Slot struct {
	// ID is that of the fetch, Origin where it is fetched: address and port.
	ID     uint64
	Origin string

	turns   turns
	work    *work
	started time.Duration
	// When the last fetch of this turn ended, which is when the next one begins.
	freed time.Duration
	// When the request left, where that is asked for.
	left    time.Duration
	request []byte
}

// Begin begins the next fetch, after a rest if no id is left of this turn; returns false if there
// is no further turn.
func (s *Slot) Begin() bool {
	for {
		id, dealt := s.turns.ledger.deal()
		if dealt {
			s.ID, s.started = id, s.freed
			break
		}
		// What it waits for between two turns belongs to neither.
		s.freed = 0
		if !s.turns.next() {
			return false
		}
	}
	if arrivals := s.turns.ledger.arrivals; arrivals != nil {
		// Its clock starts at its arrival, which may be still to come or long over.
		s.started = arrivals.of(s.ID)
		time.Sleep(s.started - now())
	} else if s.started == 0 {
		s.started = now()
	}
	s.freed = 0
	return true
}

// leave notes that the request leaves now, if that is asked for.
func (s *Slot) leave() {
	if s.turns.ledger.arrivals != nil {
		s.left = now()
	}
}

// URL returns what a library gets, as its request leaves.
func (s *Slot) URL() string {
	s.leave()
	return "http://" + s.Origin + "/f/" + strconv.FormatUint(s.ID, 10)
}

// Deadline returns when the fetch must have ended, and whether the plan sets a limit.
func (s *Slot) Deadline() (time.Time, bool) {
	if s.work.limit == 0 {
		return time.Time{}, false
	}
	return started.Add(s.started + s.work.limit), true
}

// Context returns one that ends at the deadline, if the plan sets a limit.
func (s *Slot) Context() (context.Context, context.CancelFunc) {
	if deadline, isLimited := s.Deadline(); isLimited {
		return context.WithDeadline(context.Background(), deadline)
	}
	return context.Background(), func() {}
}

// HeadFault returns the fault of a head by its status and the value of its field IDField.
func (s *Slot) HeadFault(status int, echo string) Code {
	if fault := StatusFault(status); fault != 0 {
		return fault
	}
	if !repeats([]byte(echo), s.ID) {
		return TokenMismatch
	}
	return 0
}

// End ends a fetch of a library by what was wrong before, if anything was, and by its body.
func (s *Slot) End(fault Code, body []byte) {
	s.settle(fault, uint64(len(body)), crc32.ChecksumIEEE(body))
}

// fail ends the fetch as failed.
func (s *Slot) fail(code Code) {
	s.turns.ledger.fail(code)
}

// settle ends the fetch by the fault of its head, if it has one, and by its body.
func (s *Slot) settle(fault Code, length uint64, checksum uint32) {
	if fault == 0 && (length != s.work.bodyBytes || checksum != s.work.checksums[s.ID%bodies]) {
		fault = BodyMismatch
	}
	if fault != 0 {
		s.fail(fault)
		return
	}
	s.work.compute()
	// One reading of the clock ends this fetch and begins the next.
	s.freed = now()
	if arrivals := s.turns.ledger.arrivals; arrivals != nil {
		arrivals.keep(s.ID, s.left, s.freed)
	}
	s.turns.ledger.end(s.freed - s.started)
}

// bytes returns what every bare model sends, as it leaves.
func (s *Slot) bytes() []byte {
	s.leave()
	request := append(s.request[:0], "GET /f/"...)
	request = strconv.AppendUint(request, s.ID, 10)
	request = append(request, " HTTP/1.1\r\nHost: "...)
	request = append(request, s.Origin...)
	s.request = append(request, "\r\n\r\n"...)
	return s.request
}
