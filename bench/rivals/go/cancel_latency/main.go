// Command cancel_latency runs one workload of the main job in Go and writes its rounds to standard output: for each round
// cancel() in nanoseconds and whether all were seen at rest, then one latency for each goroutine, as 64-bit little-endian.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"os"

	"rivals/cancelround"
)

func main() {
	var load cancelround.Workload
	flag.StringVar(&load.Wait, "wait", "recv", "done, recv, sleep, select or mutex")
	flag.IntVar(&load.Fibers, "fibers", 1000, "how many goroutines wait")
	warmUp := flag.Int("warmup", 1, "rounds before those that count")
	rounds := flag.Int("rounds", 3, "rounds that count")
	flag.Parse()

	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	put := func(value int64) {
		var bytes [8]byte
		binary.LittleEndian.PutUint64(bytes[:], uint64(value))
		out.Write(bytes[:])
	}
	err := cancelround.Run(load, *warmUp, *rounds, func(r cancelround.Round) {
		atRest := int64(0)
		if r.AtRest {
			atRest = 1
		}
		put(r.CancelNS)
		put(atRest)
		for _, latency := range r.LatenciesNS {
			put(latency)
		}
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cancel_latency:", err)
		os.Exit(1)
	}
}
