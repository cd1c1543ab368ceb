// One goroutine a slot, with the client of Go's package net/http.
package main

import (
	"io"
	"net/http"
	"sync"

	kit "inflight/go-kit"
)

// empty is a body of no bytes. A request without a body would be sent again, by net/http itself,
// where a connection is lost that had carried another.
type empty struct{}

func (empty) Read([]byte) (int, error) { return 0, io.EOF }
func (empty) Close() error             { return nil }

func main() { kit.Serve(map[string]string{"net/http": kit.Version()}, run) }

func run(slots *kit.Slots) {
	transport := &http.Transport{MaxIdleConnsPerHost: slots.Count(), DisableCompression: true}
	stop := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client := &http.Client{Transport: transport, CheckRedirect: stop}
	defer transport.CloseIdleConnections()
	var units sync.WaitGroup
	slots.Each(func(slot *kit.Slot) {
		units.Add(1)
		go func() {
			defer units.Done()
			for slot.Begin() {
				slot.End(fetch(client, slot))
			}
		}()
	})
	units.Wait()
}

// fetch carries the fetch of a slot to its end, and returns the fault of its head and the body.
func fetch(client *http.Client, slot *kit.Slot) (kit.Code, []byte) {
	ctx, cancel := slot.Context()
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, slot.URL(), empty{})
	request.TransferEncoding = []string{"identity"}
	reply, err := client.Do(request)
	if err != nil {
		return kit.OfLibrary(err, kit.HeadMalformed), nil
	}
	defer reply.Body.Close()
	fault := slot.HeadFault(reply.StatusCode, reply.Header.Get(kit.IDField))
	// After a switch of protocols the body is the connection.
	if reply.StatusCode == http.StatusSwitchingProtocols {
		return fault, nil
	}
	body, err := io.ReadAll(reply.Body)
	if err != nil && fault == 0 {
		fault = kit.OfLibrary(err, kit.BodyTruncated)
	}
	return fault, body
}
