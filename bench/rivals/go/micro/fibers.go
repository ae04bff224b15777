package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func nanoseconds(since time.Time, operations int) float64 {
	return float64(time.Since(since)) / float64(operations)
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since)) / 1e6 }

func perYield(goroutines, yields int) float64 {
	var ended sync.WaitGroup
	ended.Add(goroutines)
	start := time.Now()
	for range goroutines {
		go func() {
			for range yields {
				runtime.Gosched()
			}
			ended.Done()
		}()
	}
	ended.Wait()
	return nanoseconds(start, goroutines*yields)
}

func yield2(r request) map[string]float64 {
	return map[string]float64{"yield_2": perYield(2, r.scaled(2_000_000))}
}

func yield1000(r request) map[string]float64 {
	return map[string]float64{"yield_1000": perYield(1000, r.scaled(4000))}
}

func spawnJoin(r request) map[string]float64 {
	const batch = 1000
	batches := r.scaled(2000)
	var joined sync.WaitGroup
	start := time.Now()
	for range batches {
		joined.Add(batch)
		for range batch {
			go joined.Done()
		}
		joined.Wait()
	}
	return map[string]float64{"spawn_join": nanoseconds(start, batches*batch)}
}

func mutex(r request) map[string]float64 {
	const goroutines = 8
	locks := r.scaled(2_000_000)
	var m sync.Mutex
	var ended sync.WaitGroup
	counted := 0
	ended.Add(goroutines)
	start := time.Now()
	for range goroutines {
		go func() {
			for range locks {
				m.Lock()
				counted++
				m.Unlock()
			}
			ended.Done()
		}()
	}
	ended.Wait()
	return map[string]float64{"mutex": nanoseconds(start, counted)}
}

func skynet(to chan int, first, leaves int) {
	if leaves == 1 {
		to <- first
		return
	}
	from := make(chan int)
	share := leaves / 10
	for i := range 10 {
		go skynet(from, first+i*share, share)
	}
	sum := 0
	for range 10 {
		sum += <-from
	}
	to <- sum
}

func skynetRow(r request) map[string]float64 {
	leaves := r.scaled(1_000_000)
	to := make(chan int)
	start := time.Now()
	go skynet(to, 0, leaves)
	<-to
	return map[string]float64{"skynet": milliseconds(start) * 1e6 / float64(leaves)}
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	first := make(chan int, 1)
	go func() { first <- fib(n - 1) }()
	second := fib(n - 2)
	return <-first + second
}

func fibRow(request) map[string]float64 {
	const warmUp = 3 // stacks, and the collector's idea of the heap
	for range warmUp {
		fib(25)
	}
	start := time.Now()
	fib(25)
	return map[string]float64{"fib": milliseconds(start)}
}

func residentBytes() float64 {
	text, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1])
	return float64(pages * os.Getpagesize())
}

func parked(r request) map[string]float64 {
	goroutines := r.scaled(1_000_000)
	gate := make(chan struct{})
	var ended sync.WaitGroup
	var arrived atomic.Int64
	ended.Add(goroutines)
	before := residentBytes()
	start := time.Now()
	for range goroutines {
		go func() {
			arrived.Add(1)
			<-gate
			ended.Done()
		}()
	}
	for arrived.Load() != int64(goroutines) {
		runtime.Gosched()
	}
	each := nanoseconds(start, goroutines)
	bytes := (residentBytes() - before) / float64(goroutines)
	close(gate)
	ended.Wait()
	return map[string]float64{"parked_bytes": bytes, "parked_spawn": each}
}
