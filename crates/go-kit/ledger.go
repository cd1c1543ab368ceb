package kit

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// ledger is the count of a turn: ids dealt, fetches ended, and the clocks as the window opens and
// closes. Slots share it without a lock.
type ledger struct {
	turn  turn
	count uint64
	began time.Duration
	// Nil where fetches do not arrive at a rate.
	arrivals *arrivals

	issued, ended, peak, followed atomic.Uint64
	opened, closed                atomic.Pointer[reading]
	// The latency in nanoseconds of each fetch of the window by its end; 0 if it failed.
	latencies []uint64
	// How late each wake-up of the probe task was.
	wakeUpDelays []uint64

	mutex  sync.Mutex
	errors map[Code]uint64
}

// newLedger returns the count for a turn of a cell. What grows with the window is allocated here.
func newLedger(cell *cell, turn turn) *ledger {
	count := turn.Warmup + turn.Fetches + workloads[cell.Workload].surplus(cell)
	var arrivals *arrivals
	if cell.Rate > 0 {
		arrivals = newArrivals(turn, count, cell)
	}
	return &ledger{
		turn:      turn,
		count:     count,
		arrivals:  arrivals,
		began:     now(),
		latencies: make([]uint64, turn.Fetches),
		errors:    make(map[Code]uint64),
	}
}

// handOut opens the window of a batch, as its slots are handed out: what the process has used
// counts from its start.
func (l *ledger) handOut() {
	l.opened.Store(&reading{wall: now()})
}

// deal deals the next id; returns false when all have been dealt.
func (l *ledger) deal() (id uint64, dealt bool) {
	place := l.issued.Add(1) - 1
	if place >= l.count {
		l.issued.Add(^uint64(0))
		return 0, false
	}
	inFlight := place + 1 - min(place+1, l.ended.Load())
	for peak := l.peak.Load(); inFlight > peak; peak = l.peak.Load() {
		l.peak.CompareAndSwap(peak, inFlight)
	}
	return l.turn.FirstID + place, true
}

// end counts a fetch that has ended, with its latency if it was ok.
func (l *ledger) end(latency time.Duration) {
	ended := l.countEnd()
	if place := ended - 1 - l.turn.Warmup; ended > l.turn.Warmup && place < l.turn.Fetches {
		l.latencies[place] = uint64(latency)
	}
}

// countEnd counts an end and returns which it is. Whoever opens or closes the window reads the
// clocks before its end counts, and again if another came in between.
func (l *ledger) countEnd() uint64 {
	for {
		before := l.ended.Load()
		var opened, closed *reading
		switch before + 1 {
		case l.turn.Warmup:
			opened = opening()
		case l.turn.Warmup + l.turn.Fetches:
			closed = closing()
		}
		if !l.ended.CompareAndSwap(before, before+1) {
			continue
		}
		// Each count of ended fetches is reached once.
		if opened != nil {
			l.opened.Store(opened)
		}
		if closed != nil {
			l.closed.Store(closed)
		}
		return before + 1
	}
}

// fail counts a fetch that failed.
func (l *ledger) fail(code Code) {
	l.mutex.Lock()
	l.errors[code]++
	l.mutex.Unlock()
	l.end(0)
}

// turned returns the turn as it is reported, once every slot rests or has left.
func (l *ledger) turned() (*turned, error) {
	opened, closed, ended := l.opened.Load(), l.closed.Load(), l.ended.Load()
	if opened == nil || closed == nil {
		return nil, fmt.Errorf("the window did not close: %d of %d fetches ended", ended, l.count)
	}
	latencies := slices.DeleteFunc(l.latencies, func(ns uint64) bool { return ns == 0 })
	errors, failed := make(map[string]uint64), uint64(0)
	for code, count := range l.errors {
		errors[strconv.Itoa(int(code))] = count
		failed += count
	}
	all := &turned{
		Turn:   l.turn.Number,
		Window: windowOf(opened, closed, [2]uint64{l.turn.Fetches, uint64(len(latencies))}),
		Total: total{
			Issued:     l.issued.Load(),
			Ok:         ended - failed,
			Errors:     errors,
			ExtraBytes: l.followed.Load(),
		},
		Threads:      threads(),
		InFlightPeak: l.peak.Load(),
		Latencies:    histogram(latencies),
		WakeUpDelays: histogram(l.wakeUpDelays),
	}
	if l.arrivals != nil {
		all.Latencies, all.Responses, all.Lags = l.arrivals.times()
	}
	return all, nil
}

// windowOf returns what a window cost, in which so many fetches ended, and so many of them ok.
func windowOf(opened, closed *reading, counts [2]uint64) window {
	before, after := &opened.usage, &closed.usage
	return window{
		Ended:       counts[0],
		Ok:          counts[1],
		Wall:        uint64(closed.wall - opened.wall),
		CPU:         uint64(closed.cpu - opened.cpu),
		User:        uint64(after.Utime.Nano() - before.Utime.Nano()),
		System:      uint64(after.Stime.Nano() - before.Stime.Nano()),
		Voluntary:   Counted(after.Nvcsw, before.Nvcsw, after.Nvcsw),
		Involuntary: Counted(after.Nvcsw, before.Nivcsw, after.Nivcsw),
		FaultsMinor: Counted(after.Minflt, before.Minflt, after.Minflt),
	}
}

// Counted returns by how much a counter of the kernel grew, or nil where the kernel does not count:
// its sign is what every process has that has waited.
func Counted(sign, before, after int64) *uint64 {
	if sign <= 0 {
		return nil
	}
	grown := uint64(after - before)
	return &grown
}

// histogram returns times, rounded to three digits, with their counts.
func histogram(times []uint64) [][2]uint64 {
	counts := make(map[uint64]uint64)
	for _, time := range times {
		counts[ThreeDigits(time)]++
	}
	pairs := make([][2]uint64, 0, len(counts))
	for time, count := range counts {
		pairs = append(pairs, [2]uint64{time, count})
	}
	slices.SortFunc(pairs, func(a, b [2]uint64) int { return int(int64(a[0]) - int64(b[0])) })
	return pairs
}

// ThreeDigits rounds to three significant decimal digits, half upwards.
func ThreeDigits(value uint64) uint64 {
	unit := uint64(1)
	for value/unit >= 1000 {
		unit *= 10
	}
	return (value + unit/2) / unit * unit
}
