// Package kit is what a model in Go is built with: the pipe, the plan, the slots, one turn after
// the other. It is written from the page `crates/README.md` and nothing else; the words are those
// of that page.
package kit

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// childSubreaper is PR_SET_CHILD_SUBREAPER.
const childSubreaper = 36

// Slots are those of a process.
type Slots struct {
	turns
	all   []*Slot
	probe *probeTask
	ended sync.WaitGroup
}

// Count returns how many there are.
func (s *Slots) Count() int { return len(s.all) }

// Each hands the slots out one by one, which opens the window of a batch: make what they share
// before, start their goroutines here.
func (s *Slots) Each(start func(*Slot)) {
	if s.gate == nil {
		s.ledger.handOut()
	}
	for _, slot := range s.all {
		start(slot)
	}
	// It comes last: it is to wait for whatever the others do.
	s.startProbe()
}

// Version returns the version of Go, such as 1.27.3.
func Version() string {
	version, _, _ := strings.Cut(strings.TrimPrefix(runtime.Version(), "go"), " ")
	return version
}

// Serve runs a model: the versions of what it is built on beside Go, and how it carries the fetches
// of its slots. What goes wrong is one sentence on stderr and exit code 1.
func Serve(versions map[string]string, run func(*Slots)) {
	if err := serve(versions, run); err != nil {
		giveUp(err)
	}
}

// giveUp leaves at once, whatever the goroutines wait for.
func giveUp(err error) {
	fmt.Fprintln(os.Stderr, "the model:", err)
	os.Exit(1)
}

func serve(versions map[string]string, run func(*Slots)) error {
	// When the harness dies, so does the model; what a child of it leaves behind is seen.
	control(syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL))
	control(childSubreaper, 1)
	all := map[string]string{"go": Version()}
	for name, version := range versions {
		all[name] = version
	}
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "model-")
	if err := report(map[string]hello{"hello": {protocol, name, all}}); err != nil {
		return err
	}
	pipe, plan := newPipe(), new(plan)
	if isThere, err := pipe.receive("plan", plan); !isThere {
		return err
	}
	if err := check(plan); err != nil {
		return err
	}
	if workloads[plan.Cell.Workload].isResident {
		return stay(pipe, plan, run)
	}
	return takeOne(pipe, plan, run)
}

// control sets what the kernel does for this process; where it refuses, the closed pipe ends it.
func control(option, value uintptr) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, option, value, 0)
}

// check refuses a plan that cannot be carried out, or leads out of the machine.
func check(plan *plan) error {
	if _, known := workloads[plan.Cell.Workload]; !known {
		names := strings.Join(slices.Sorted(maps.Keys(workloads)), " or ")
		return fmt.Errorf("the workload is %q, expected %s", plan.Cell.Workload, names)
	}
	if isPaced := plan.Cell.Workload == "paced"; isPaced != (plan.Cell.Rate > 0) {
		return errors.New("rate_per_s is for paced, and paced needs one")
	}
	if plan.Cell.InFlight == 0 || plan.Cell.Fetches == 0 || len(plan.Origins) == 0 {
		return errors.New("in_flight, fetches or origins is none, expected at least one")
	}
	for _, origin := range plan.Origins {
		address, err := netip.ParseAddrPort(origin)
		if err != nil {
			return err
		}
		if !address.Addr().IsLoopback() {
			return errors.New(
				"origins has an address beyond loopback, and fetches never leave the machine")
		}
	}
	return nil
}

// newSlots returns the slots of a plan: so many, at a gate or in the one turn of a batch.
func newSlots(plan *plan, gate *gate, ledger *ledger, count uint64) *Slots {
	turns, work := turns{gate, ledger}, newWork(plan)
	slots := &Slots{turns: turns}
	for at := range count {
		origin := plan.Origins[at%uint64(len(plan.Origins))]
		slots.all = append(slots.all, &Slot{Origin: origin, turns: turns, work: work})
	}
	if period := plan.Cell.ProbePeriod; period > 0 {
		slots.probe = &probeTask{turns: turns, period: time.Duration(period) * time.Microsecond}
	}
	return slots
}

// startProbe starts the probe task, if the plan has one, as one goroutine more.
func (s *Slots) startProbe() {
	if s.probe == nil {
		return
	}
	if s.gate != nil {
		s.gate.join()
	}
	s.ended.Add(1)
	go func() {
		defer s.ended.Done()
		s.probe.run()
	}()
}

// takeOne takes the one turn of a batch.
func takeOne(pipe pipe, plan *plan, run func(*Slots)) error {
	if err := report("ready"); err != nil {
		return err
	}
	var turn turn
	if isThere, err := pipe.receive("turn", &turn); !isThere {
		return err
	}
	ledger := newLedger(&plan.Cell, turn)
	slots := newSlots(plan, nil, ledger, min(plan.Cell.InFlight, turn.Fetches))
	run(slots)
	slots.ended.Wait()
	if err := reportTurned(ledger, &scheduled{}); err != nil {
		return err
	}
	// The harness may look at the living process until it closes the pipe.
	if isThere, _ := pipe.receive("turn", &turn); isThere {
		return errors.New("expected the end of the pipe after a batch")
	}
	return nil
}

// stay takes one turn after the other until the pipe is closed.
func stay(pipe pipe, plan *plan, run func(*Slots)) error {
	gate := newGate(int(plan.Cell.InFlight))
	go func() {
		if err := takeTurns(pipe, plan, gate); err != nil {
			giveUp(err)
		}
		gate.begin(nil)
	}()
	run(newSlots(plan, gate, gate.ledger, plan.Cell.InFlight))
	if !gate.isOver() {
		return errors.New("its units left before the pipe was closed")
	}
	return nil
}

// takeTurns begins turns and reports what came of each.
func takeTurns(pipe pipe, plan *plan, gate *gate) error {
	gate.waitUntilQuiet()
	if err := report("ready"); err != nil {
		return err
	}
	for {
		var turn turn
		if isThere, err := pipe.receive("turn", &turn); !isThere {
			return err
		}
		before, ledger := readScheduled(), newLedger(&plan.Cell, turn)
		gate.begin(ledger)
		gate.waitUntilQuiet()
		if err := reportTurned(ledger, before); err != nil {
			return err
		}
	}
}

// reportTurned reports what came of a turn, before which threads had got so much.
func reportTurned(ledger *ledger, before *scheduled) error {
	turned, err := ledger.turned()
	if err != nil {
		return err
	}
	turned.Scheduled = readScheduled().since(before)
	return report(map[string]any{"turned": turned})
}
