package kit

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// processCPU is CLOCK_PROCESS_CPUTIME_ID.
const processCPU = 2

// started is some moment of the monotonic clock: a difference reads that clock alone.
var started = time.Now()

// reading is what the clocks and counters of this process say at one moment.
type reading struct {
	wall  time.Duration
	cpu   int64
	usage syscall.Rusage
}

// scheduled is what the scheduler gave to the threads of this process.
type scheduled struct {
	CPU      uint64 `json:"cpu_ns"`
	RunDelay uint64 `json:"run_delay_ns"`
}

// now returns the time of the monotonic clock.
func now() time.Duration { return time.Since(started) }

// opening reads as a window opens: what is slow to read first, the clocks last.
func opening() *reading {
	read := new(reading)
	read.usage = usage()
	read.cpu = cpu()
	read.wall = now()
	return read
}

// closing reads as a window closes: the clocks first, what is slow to read last.
func closing() *reading {
	read := new(reading)
	read.wall = now()
	read.cpu = cpu()
	read.usage = usage()
	return read
}

// cpu returns the CPU time of all threads of this process.
func cpu() int64 {
	var time syscall.Timespec
	at := uintptr(unsafe.Pointer(&time))
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, processCPU, at, 0); errno != 0 {
		panic(errno)
	}
	return time.Nano()
}

// usage returns the counters that the kernel keeps for this process.
func usage() (counters syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &counters); err != nil {
		panic(err)
	}
	return counters
}

// threads returns how many threads this process has now.
func threads() uint64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "\nThreads:\t")
	count, _, _ := strings.Cut(rest, "\n")
	threads, _ := strconv.ParseUint(count, 10, 64)
	return threads
}

// readScheduled returns what the threads got that are alive now, or nil where the kernel does not
// show it.
func readScheduled() *scheduled {
	tasks, _ := filepath.Glob("/proc/self/task/*/schedstat")
	var sum scheduled
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		figures := strings.Fields(string(text))
		if err != nil || len(figures) < 2 {
			// A thread that has ended meanwhile has no figures.
			continue
		}
		time, _ := strconv.ParseUint(figures[0], 10, 64)
		delay, _ := strconv.ParseUint(figures[1], 10, 64)
		sum.CPU += time
		sum.RunDelay += delay
	}
	if sum.CPU == 0 {
		return nil
	}
	return &sum
}

// since returns what threads got since an earlier reading, or nil.
func (s *scheduled) since(before *scheduled) *scheduled {
	if s == nil || before == nil {
		return nil
	}
	cpu := max(s.CPU, before.CPU) - before.CPU
	return &scheduled{cpu, max(s.RunDelay, before.RunDelay) - before.RunDelay}
}
