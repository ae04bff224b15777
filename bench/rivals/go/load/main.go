// Command load answers one question of bench/load*.cpp in Go and writes its samples as JSON, by the name of the figures:
// nanoseconds, or percent. GOMAXPROCS says on how many processors.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

type samples map[string][]float64

func processCPU() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

var sink atomic.Uint64

//go:noinline
func spin(turns int) {
	x := uint64(1)
	for range turns {
		x ^= x << 13
		x ^= x >> 7
	}
	sink.Store(x)
}

var turnsInANanosecond float64

func measureWork() {
	const turns, long = 100_000, 200 * time.Millisecond
	least := 1e12
	for all := time.Now(); time.Since(all) < long; {
		begin := time.Now()
		spin(turns)
		least = min(least, float64(time.Since(begin).Nanoseconds()))
	}
	turnsInANanosecond = turns / least
}

// workFor takes so long when nothing disturbs it.
func workFor(d time.Duration) { spin(int(float64(d.Nanoseconds()) * turnsInANanosecond)) }

func main() {
	name := flag.String("workload", "tail", "which question")
	amount := flag.Int("amount", 0, "the load in percent, or the idle time in microseconds")
	limit := flag.Duration("time", time.Second, "how long")
	events := flag.Int("events", -1, "the descriptor that a pipe's events come out of")
	answers := flag.Int("answers", -1, "the one they are answered by")
	flag.Parse()
	measureWork()
	var result samples
	switch *name {
	case "tail":
		result = tail(*amount, *limit)
	case "timer":
		result = byTimer(time.Duration(*amount)*time.Microsecond, *limit)
	case "pipe":
		result = byPipe(*events, *answers, *limit)
	case "few":
		result = few(*limit)
	case "busy":
		result = busy(*limit)
	case "burst":
		result = bursts(*limit)
	default:
		fmt.Fprintln(os.Stderr, "load: no such workload:", *name)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
