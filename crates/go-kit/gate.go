package kit

import "sync"

// gate is where slots rest until the next turn begins. Nothing of it is touched while a turn runs.
type gate struct {
	mutex sync.Mutex
	// What slots wait for, and what waits until all of them rest.
	called, quiet *sync.Cond
	// The count of the turn that runs or has run last; nil once there is no further turn.
	ledger  *ledger
	units   int
	resting int
}

// newGate returns one for so many slots, none of which rests yet.
func newGate(units int) *gate {
	// There is nothing to begin in it, as it has no id.
	g := &gate{units: units, ledger: &ledger{}}
	g.ledger.closed.Store(&reading{})
	g.called, g.quiet = sync.NewCond(&g.mutex), sync.NewCond(&g.mutex)
	return g
}

// begin begins a turn and wakes every slot. Without a turn they wake and leave.
func (g *gate) begin(next *ledger) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.ledger, g.resting = next, 0
	g.called.Broadcast()
}

// join counts one unit more, which fetches nothing.
func (g *gate) join() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.units++
}

// waitUntilQuiet blocks until every unit rests.
func (g *gate) waitUntilQuiet() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for g.resting < g.units {
		g.quiet.Wait()
	}
}

// rest blocks until there is another turn than the one that was taken, and returns its count, or
// nil if there is no further turn.
func (g *gate) rest(taken *ledger) *ledger {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.ledger == taken {
		g.resting++
		if g.resting == g.units {
			g.quiet.Broadcast()
		}
	}
	for g.ledger == taken {
		g.called.Wait()
	}
	return g.ledger
}

// isOver returns whether there is no further turn.
func (g *gate) isOver() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.ledger == nil
}
