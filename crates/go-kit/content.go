package kit

import (
	"encoding/binary"
	"hash/crc32"
	"time"
)

// IDField is the field of a reply that repeats the id.
const IDField = "inflight-id"

// bodies is how many different bodies there are.
const bodies = 64

const gamma = 0x9e3779b97f4a7c15

// work is what a plan asks of every fetch.
type work struct {
	bodyBytes uint64
	checksums [bodies]uint32
	// The longest that a fetch may take; 0 for no limit.
	limit time.Duration
	kib   int
}

// newWork computes the checksums that every reply is held against.
func newWork(plan *plan) *work {
	work := &work{bodyBytes: plan.Cell.BodyBytes, kib: plan.Cell.WorkKiB}
	if plan.DeadlineMS != nil {
		work.limit = max(time.Nanosecond, time.Duration(*plan.DeadlineMS)*time.Millisecond)
	}
	for id := range work.checksums {
		body := Body(plan.Seed, uint64(id), int(work.bodyBytes))
		work.checksums[id] = crc32.ChecksumIEEE(body)
	}
	return work
}

// zeros are what is computed on, in pieces.
var zeros [64 * 1024]byte

// compute computes what the plan asks for each reply: the CRC-32 of so many KiB.
func (w *work) compute() {
	for begin := 0; begin < w.kib; begin += 64 {
		crc32.ChecksumIEEE(zeros[:min(64, w.kib-begin)*1024])
	}
}

// splitMix64 returns the first output of SplitMix64 started at a state.
func splitMix64(state uint64) uint64 {
	z := state + gamma
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Body returns the body for an id.
func Body(seed, id uint64, length int) []byte {
	var body []byte
	for state := splitMix64(seed ^ id%bodies); len(body) < length; state += gamma {
		body = binary.LittleEndian.AppendUint64(body, splitMix64(state))
	}
	return body[:length]
}
