// Reads a reply a line, after the length of its pieces, and says a verdict a line: the code of its
// failure or 0, and whether bytes followed that belong to none.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"strings"

	kit "inflight/go-kit"
)

var checksum = crc32.ChecksumIEEE(kit.Body(42, 0, 16))

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64*1024*1024)
	for lines.Scan() {
		size, text, _ := strings.Cut(lines.Text(), " ")
		length, err := strconv.Atoi(size)
		if err != nil {
			panic(err)
		}
		input, err := hex.DecodeString(text)
		if err != nil {
			panic(err)
		}
		code, isFollowed := verdict(length, input)
		fmt.Println(code, isFollowed)
	}
}

func verdict(length int, input []byte) (kit.Code, bool) {
	var reply kit.Reply
	reply.Start(0, false)
	for len(input) > 0 {
		piece := input[:min(length, len(input))]
		input = input[len(piece):]
		whole, code := reply.Read(piece)
		switch {
		case code != 0 && reply.Fault != 0, whole && reply.Fault != 0:
			return reply.Fault, whole && reply.Extra > 0
		case code != 0:
			return code, false
		case whole && (reply.Length != 16 || reply.Checksum != checksum):
			return kit.BodyMismatch, reply.Extra > 0
		case whole:
			return 0, reply.Extra > 0
		}
	}
	return reply.Lost(kit.Closed), false
}
