// Command growth answers one question of bench/growth*.cpp in Go, for one n, and writes its rounds as JSON: nanoseconds
// an element, by the name of the figures. GOMAXPROCS says on how many processors.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// round measures once, among n.
type round func(n int) map[string]float64

var questions = map[string]round{
	"spawn":     spawnJoin,
	"wake":      wake,
	"cancel":    cancelWaiting,
	"channel":   channelWaiters,
	"mutex":     mutexWaiters,
	"select":    selectOver,
	"breadth":   breadth,
	"depth":     depth,
	"timers":    timers,
	"sleepers":  sleepers,
	"ping_pong": pingPong,
	"storm":     storm,
	"err":       readErr,
}

func per(begin time.Time, count int) float64 {
	return float64(time.Since(begin).Nanoseconds()) / float64(count)
}

func processCPU() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// awaitParked waits until n goroutines have counted themselves, which is the last they do before they wait, and gives
// those on other processors the time to come to rest.
func awaitParked(arrived *atomic.Int64, n int) {
	for arrived.Load() != int64(n) {
		runtime.Gosched()
	}
	time.Sleep(5 * time.Millisecond)
}

func main() {
	name := flag.String("question", "spawn", "which")
	n := flag.Int("n", 100, "among so many")
	rounds := flag.Int("rounds", 1, "after one that does not count")
	flag.Parse()
	measure, known := questions[*name]
	if !known {
		fmt.Fprintln(os.Stderr, "growth: no such question:", *name)
		os.Exit(2)
	}
	all := map[string][]float64{}
	measure(*n)
	for range *rounds {
		for figure, each := range measure(*n) {
			all[figure] = append(all[figure], each)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}
