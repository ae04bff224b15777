// Command preemption answers one question of bench/preemption.cpp in Go and writes its samples as JSON: nanoseconds, by
// the name of the figures ("shares": parts of a fair share). GOMAXPROCS says on how many processors.
//
// A thread that is foreign to the scheduler, as weft has them, does not exist in Go without C. Where weft's side is
// woken from one, a goroutine comes out of a system call here, and the time counts from when that was due to end.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const warmUp, least = 5, 5

type budget struct {
	samples int
	time    time.Duration
}

type hog struct {
	turns atomic.Uint64
	_     [56]byte
}

type hogs struct {
	stop atomic.Bool
	all  []hog
	done sync.WaitGroup
}

func startHogs(count int) *hogs {
	h := &hogs{all: make([]hog, count)}
	h.done.Add(count)
	for i := range h.all {
		go func() {
			for n := uint64(1); !h.stop.Load(); n++ {
				h.all[i].turns.Store(n)
			}
			h.done.Done()
		}()
	}
	for i := range h.all {
		for h.all[i].turns.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	return h
}

func (h *hogs) end() {
	h.stop.Store(true)
	h.done.Wait()
}

func (h *hogs) turns() []float64 {
	all := make([]float64, len(h.all))
	for i := range h.all {
		all[i] = float64(h.all[i].turns.Load())
	}
	return all
}

func samplesOf(b budget, measure func() float64) []float64 {
	all := []float64{}
	end := time.Now().Add(b.time)
	for i := range warmUp + b.samples {
		sample := measure()
		if i >= warmUp {
			all = append(all, sample)
		}
		if i >= warmUp+least && !time.Now().Before(end) {
			break
		}
	}
	return all
}

func since(begin time.Time) float64 { return float64(time.Since(begin).Nanoseconds()) }

func sleepLateness(hogCount int, b budget) []float64 {
	h := startHogs(hogCount)
	defer h.end()
	return samplesOf(b, func() float64 {
		due := time.Now().Add(time.Millisecond)
		time.Sleep(time.Millisecond)
		return since(due)
	})
}

func deadlineLateness(hogCount int, b budget) []float64 {
	h := startHogs(hogCount)
	defer h.end()
	return samplesOf(b, func() float64 {
		due := time.Now().Add(time.Millisecond)
		ctx, cancel := context.WithDeadline(context.Background(), due)
		defer cancel()
		<-ctx.Done()
		return since(due)
	})
}

// readLateness is how late the deadline ends a connection's read for which nothing comes.
func readLateness(hogCount int, b budget) []float64 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	silent, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	defer silent.Close()
	reads, err := l.Accept()
	if err != nil {
		panic(err)
	}
	defer reads.Close()
	h := startHogs(hogCount)
	defer h.end()
	return samplesOf(b, func() float64 {
		due := time.Now().Add(time.Millisecond)
		reads.SetReadDeadline(due)
		if _, err := reads.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			panic("it was not silent")
		}
		return since(due)
	})
}

// napInKernel blocks the thread and says when it was due to go on. Long enough that the scheduler gives its processor
// away, which it does every 10 ms at the latest: after a short one the hogs would not have run at all.
func napInKernel() time.Time {
	const length = 25 * time.Millisecond
	due := time.Now().Add(length)
	nap := syscall.NsecToTimespec(length.Nanoseconds())
	syscall.Nanosleep(&nap, nil)
	return due
}

func foreignCancel(hogCount int, b budget) []float64 {
	wanted := make(chan context.CancelFunc, 1)
	var begun atomic.Pointer[time.Time]
	go func() {
		for cancel := range wanted {
			due := napInKernel()
			begun.Store(&due)
			cancel()
		}
	}()
	h := startHogs(hogCount)
	defer h.end()
	defer close(wanted)
	return samplesOf(b, func() float64 {
		ctx, cancel := context.WithCancel(context.Background())
		wanted <- cancel
		<-ctx.Done()
		return since(*begun.Load())
	})
}

func share(hogCount int, b budget) map[string][]float64 {
	h := startHogs(hogCount)
	defer h.end()
	to, fro := make(chan int), make(chan int)
	answers := []float64{}
	var before, after []float64
	asked := make(chan struct{})
	go func() {
		before = h.turns()
		for end := time.Now().Add(b.time); time.Now().Before(end); {
			due := napInKernel()
			to <- 1
			<-fro
			answers = append(answers, since(due))
		}
		after = h.turns()
		close(to)
		close(asked)
	}()
	for v := range to {
		fro <- v
	}
	<-asked
	sum := 0.0
	for i := range after {
		after[i] -= before[i]
		sum += after[i]
	}
	for i := range after {
		after[i] /= sum / float64(len(after))
	}
	return map[string][]float64{"shares": after, "answer": answers}
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

// What an interrupted loop loses while a sleeper has its processor; see bench/preemption_workloads.cpp.
func preemptionCost(b budget) []float64 {
	const stretch = 1000
	var all []float64
	var stop atomic.Bool
	var woken atomic.Int64
	var loop sync.WaitGroup
	loop.Add(1)
	go func() {
		usual := 1e9
		all = samplesOf(b, func() float64 {
			last := time.Now()
			for seen := woken.Load(); ; {
				spin(stretch)
				now := time.Now()
				gap := float64(now.Sub(last).Nanoseconds())
				last = now
				if woken.Load() == seen {
					usual = min(usual, gap)
					continue
				}
				if usual < 1e9 {
					return gap - usual
				}
				seen = woken.Load()
			}
		})
		stop.Store(true)
		loop.Done()
	}()
	for ; !stop.Load(); woken.Add(1) {
		time.Sleep(200 * time.Microsecond)
	}
	loop.Wait()
	return all
}

func lockedHandOff(b budget) []float64 {
	const rounds = 500
	to, fro := make(chan int), make(chan int)
	go func() {
		for v := range to {
			fro <- v
		}
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(to)
	return samplesOf(b, func() float64 {
		begin := time.Now()
		for i := range rounds {
			to <- i
			<-fro
		}
		return since(begin) / (2 * rounds)
	})
}

func eachCall(b budget, f func()) []float64 {
	const calls = 2000
	return samplesOf(b, func() float64 {
		begin := time.Now()
		for range calls {
			f()
		}
		return since(begin) / calls
	})
}

// Syscall tells the scheduler before and after, RawSyscall does not; the difference is what telling costs.
func blockingCost(b budget) map[string][]float64 {
	told := eachCall(b, func() { syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0) })
	raw := eachCall(b, func() { syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0) })
	difference := make([]float64, min(len(told), len(raw)))
	for i := range difference {
		difference[i] = told[i] - raw[i]
	}
	return map[string][]float64{"blocking": difference, "getppid": told, "getppid_raw": raw}
}

// Go is told of the read: an undeclared one would hold the processor until it ends, that is for ever.
func detection(b budget) []float64 {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		panic(err)
	}
	ready := make(chan struct{}, 1)
	defer close(ready)
	var ran time.Time
	go func() {
		for range ready {
			ran = time.Now()
			syscall.Write(ends[1], []byte("x"))
		}
	}()
	buffer := make([]byte, 1)
	return samplesOf(b, func() float64 {
		ready <- struct{}{}
		begin := time.Now()
		if n, err := syscall.Read(ends[0], buffer); n != 1 {
			panic(err)
		}
		return float64(ran.Sub(begin).Nanoseconds())
	})
}

func ask(name string, hogCount int, b budget) (map[string][]float64, error) {
	one := func(samples []float64) (map[string][]float64, error) {
		return map[string][]float64{name: samples}, nil
	}
	switch name {
	case "sleep":
		return one(sleepLateness(hogCount, b))
	case "deadline":
		return one(deadlineLateness(hogCount, b))
	case "read":
		return one(readLateness(hogCount, b))
	case "cancel":
		return one(foreignCancel(hogCount, b))
	case "share":
		return share(hogCount, b), nil
	case "pinned", "migratable":
		return one(preemptionCost(b)) // every goroutine is migratable
	case "locked":
		return one(lockedHandOff(b))
	case "blocking":
		return blockingCost(b), nil
	case "detach":
		return one(detection(b))
	}
	return nil, fmt.Errorf("no such workload: %s", name)
}

func main() {
	name := flag.String("workload", "sleep", "which question")
	hogCount := flag.Int("hogs", 1, "loops without a call, in all")
	samples := flag.Int("samples", 100, "at most so many")
	limit := flag.Duration("time", time.Second, "at most so long")
	flag.Parse()
	result, err := ask(*name, *hogCount, budget{*samples, *limit})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "preemption:", err)
		os.Exit(1)
	}
}
