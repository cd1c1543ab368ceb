// One goroutine a slot, on the sockets of Go's package net.
package main

import (
	"sync"

	kit "inflight/go-kit"
)

func main() { kit.Serve(nil, run) }

func run(slots *kit.Slots) {
	var units sync.WaitGroup
	slots.Each(func(slot *kit.Slot) {
		units.Add(1)
		go func() {
			defer units.Done()
			drive(slot)
		}()
	})
	units.Wait()
}

// drive carries the fetches of one slot, over a connection that is kept.
func drive(slot *kit.Slot) {
	var connection kit.Connection
	for slot.Begin() {
		connection.Fetch(slot)
	}
	connection.Close()
}
