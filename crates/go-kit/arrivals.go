package kit

import (
	"math/bits"
	"slices"
	"sync/atomic"
	"time"
)

// arrivals is when the fetches of a turn arrive that do so at a rate, and what each of them waited
// for.
type arrivals struct {
	began   time.Duration
	firstID uint64
	warmup  uint64
	due     []uint64
	// From arrival to end and to sending, of each fetch of the window; a response of 0 is none.
	responses, lags []atomic.Uint64
}

// newArrivals returns those of a turn that begins now.
func newArrivals(turn turn, count uint64, cell *cell) *arrivals {
	hi, lo := bits.Mul64(count, uint64(time.Second))
	span, _ := bits.Div64(hi, lo, cell.Rate)
	span = max(span, 1)
	due := make([]uint64, count)
	for index := range due {
		if due[index] = span / 2; uint64(index) >= cell.Burst {
			due[index] = splitMix64(turn.ArrivalsSeed^uint64(index)) % span
		}
	}
	slices.Sort(due)
	return &arrivals{
		firstID:   turn.FirstID,
		warmup:    turn.Warmup,
		due:       due,
		responses: make([]atomic.Uint64, turn.Fetches),
		lags:      make([]atomic.Uint64, turn.Fetches),
		began:     now(),
	}
}

// of returns when a fetch arrives.
func (a *arrivals) of(id uint64) time.Duration {
	return a.began + time.Duration(a.due[id-a.firstID])
}

// keep keeps what a fetch waited for that was ok, if it arrived in the window.
func (a *arrivals) keep(id uint64, left, ended time.Duration) {
	if place := id - a.firstID; place >= a.warmup {
		due := a.of(id)
		a.lags[place-a.warmup].Store(uint64(max(left-due, 0)))
		a.responses[place-a.warmup].Store(uint64(max(ended-due, 1)))
	}
}

// times returns services, responses and lags as they are reported.
func (a *arrivals) times() (services, responses, lags [][2]uint64) {
	var served, answered, late []uint64
	for at := range a.responses {
		response, lag := a.responses[at].Load(), a.lags[at].Load()
		if response > 0 {
			served = append(served, response-min(lag, response))
			answered, late = append(answered, response), append(late, lag)
		}
	}
	return histogram(served), histogram(answered), histogram(late)
}
