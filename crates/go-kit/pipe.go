package kit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// protocol is the version of the pipe.
const protocol = 2

// lineBytesMax is the longest line of the pipe, in bytes.
const lineBytesMax = 1024 * 1024

// cell is a workload with its numbers.
type cell struct {
	Workload    string `json:"workload"`
	InFlight    uint64 `json:"in_flight"`
	Warmup      uint64 `json:"warmup"`
	Fetches     uint64 `json:"fetches"`
	BodyBytes   uint64 `json:"body_bytes"`
	Rate        uint64 `json:"rate_per_s"`
	Burst       uint64 `json:"burst"`
	ProbePeriod int64  `json:"probe_period_us"`
	WorkKiB     int    `json:"work_kib"`
}

// plan is what a model is asked for once.
type plan struct {
	Cell       cell     `json:"cell"`
	Origins    []string `json:"origins"`
	Seed       uint64   `json:"seed"`
	DeadlineMS *int64   `json:"deadline_ms"`
}

// turn is what it is asked for again and again.
type turn struct {
	Number       uint64 `json:"number"`
	FirstID      uint64 `json:"first_id"`
	Warmup       uint64 `json:"warmup"`
	Fetches      uint64 `json:"fetches"`
	ArrivalsSeed uint64 `json:"arrivals_seed"`
}

// hello is what a model says of itself.
type hello struct {
	Protocol int               `json:"protocol"`
	Model    string            `json:"model"`
	Versions map[string]string `json:"versions"`
}

// turned is what came of a turn.
type turned struct {
	Turn         uint64      `json:"turn"`
	Window       window      `json:"window"`
	Total        total       `json:"total"`
	Threads      uint64      `json:"threads"`
	InFlightPeak uint64      `json:"in_flight_peak"`
	Scheduled    *scheduled  `json:"scheduled"`
	Latencies    [][2]uint64 `json:"latencies_ns"`
	WakeUpDelays [][2]uint64 `json:"wake_up_delays_ns"`
	Responses    [][2]uint64 `json:"responses_ns,omitempty"`
	Lags         [][2]uint64 `json:"lags_ns,omitempty"`
}

// window is what came of its window.
type window struct {
	Ended       uint64  `json:"ended"`
	Ok          uint64  `json:"ok"`
	Wall        uint64  `json:"wall_ns"`
	CPU         uint64  `json:"cpu_ns"`
	User        uint64  `json:"user_ns"`
	System      uint64  `json:"system_ns"`
	Voluntary   *uint64 `json:"switches_voluntary"`
	Involuntary *uint64 `json:"switches_involuntary"`
	FaultsMinor *uint64 `json:"faults_minor"`
}

// total is what came of all its fetches.
type total struct {
	Issued     uint64            `json:"issued"`
	Ok         uint64            `json:"ok"`
	Errors     map[string]uint64 `json:"errors"`
	ExtraBytes uint64            `json:"extra_bytes"`
}

// pipe is where messages come from.
type pipe struct{ lines *bufio.Reader }

func newPipe() pipe {
	return pipe{bufio.NewReaderSize(os.Stdin, lineBytesMax)}
}

// receive reads what stands in the next message, which is to have this name; returns false once
// the pipe is closed.
func (p pipe) receive(name string, into any) (bool, error) {
	line, err := p.lines.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return false, nil
	case errors.Is(err, bufio.ErrBufferFull):
		return false, errors.New("a line of the pipe has more than 1 MiB")
	case err != nil:
		return false, fmt.Errorf("a line of the pipe is not whole: %w", err)
	}
	var message map[string]json.RawMessage
	if err := json.Unmarshal(line, &message); err != nil {
		return false, fmt.Errorf("a line of the pipe is no message: %w", err)
	}
	value, isThere := message[name]
	if !isThere {
		return false, fmt.Errorf("expected a %s, found %.120q", name, line)
	}
	if err := json.Unmarshal(value, into); err != nil {
		return false, fmt.Errorf("the %s cannot be read: %w", name, err)
	}
	return true, nil
}

// report writes a message.
func report(message any) error {
	line, err := json.Marshal(message)
	if err == nil {
		_, err = os.Stdout.Write(append(line, '\n'))
	}
	return err
}
