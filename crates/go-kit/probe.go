package kit

import "time"

// probeTask fetches nothing and wakes at moments that are fixed in advance, by Go's timer and among
// the goroutines of its model. How late it is shows how long whatever is due has to wait there. A
// late wake-up shifts none that follow, and each that was missed counts for itself.
type probeTask struct {
	turns  turns
	period time.Duration
	// When the next wake-up is due in the turn that runs, and how late those before were.
	due    time.Duration
	delays []uint64
}

// run wakes until the one turn of a batch, or all turns, are over.
func (p *probeTask) run() {
	for {
		for p.begin() {
			time.Sleep(p.due - now())
			p.wakeUp()
		}
		if !p.turns.next() {
			return
		}
	}
}

// begin makes a wake-up due; returns whether there is one: none once the window has closed.
func (p *probeTask) begin() bool {
	ledger := p.turns.ledger
	if p.due == 0 && ledger.began != 0 {
		p.due = ledger.began + p.period
	}
	if ledger.closed.Load() == nil {
		return true
	}
	if p.due != 0 {
		// It takes the wake-ups missed before the window closed, and hands all of them over.
		p.wakeUp()
		ledger.wakeUpDelays, p.delays, p.due = p.delays, nil, 0
	}
	return false
}

// wakeUp takes every wake-up that is due by now. Those that were due in the window count.
func (p *probeTask) wakeUp() {
	now := now()
	opened, closed := p.turns.ledger.opened.Load(), p.turns.ledger.closed.Load()
	last := now
	if closed != nil {
		last = min(now, closed.wall)
	}
	for ; p.due <= last; p.due += p.period {
		if opened != nil && p.due >= opened.wall {
			p.delays = append(p.delays, uint64(now-p.due))
		}
	}
}
