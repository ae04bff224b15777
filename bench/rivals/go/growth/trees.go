package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Dropping is left to the collector, whose time is in the whole; so a drop costs nothing here.
func growAndCancel(n int, name string, parent func(top context.Context, last context.Context) context.Context) map[string]float64 {
	top, cancelTop := context.WithCancel(context.Background())
	cancels := make([]context.CancelFunc, n)
	last := top
	begin := time.Now()
	for i := range n {
		last, cancels[i] = context.WithCancel(parent(top, last))
	}
	create := per(begin, n)
	begin = time.Now()
	cancelTop()
	cancel := per(begin, n)
	if last.Err() == nil {
		panic("a context was not cancelled")
	}
	begin = time.Now()
	for _, c := range cancels {
		c()
	}
	return map[string]float64{name + "_create": create, name + "_cancel": cancel, name + "_drop": per(begin, n)}
}

func breadth(n int) map[string]float64 {
	return growAndCancel(n, "breadth", func(top, _ context.Context) context.Context { return top })
}

func depth(n int) map[string]float64 {
	return growAndCancel(n, "depth", func(_, last context.Context) context.Context { return last })
}

func scattered(i int) float64 { return float64(uint32(i)*2654435769) / 4294967296.0 }

func timers(n int) map[string]float64 {
	all := make([]*time.Timer, n)
	begin := time.Now()
	for i := range all {
		all[i] = time.NewTimer(time.Hour + time.Duration(scattered(i)*float64(time.Hour)))
	}
	create := per(begin, n)
	begin = time.Now()
	for _, t := range all {
		t.Stop()
	}
	return map[string]float64{"timer_create": create, "timer_stop": per(begin, n)}
}

// sleepAndWake is sleep_and_wake in bench/growth_timers.cpp; it gives false if lead was not enough.
func sleepAndWake(n int, lead time.Duration) (float64, bool) {
	window := float64(n) * 3000
	start := time.Now().Add(20*time.Millisecond + time.Duration(n)*lead)
	var arrived atomic.Int64
	var ended sync.WaitGroup
	ended.Add(n)
	for i := range n {
		go func() {
			arrived.Add(1)
			time.Sleep(time.Until(start.Add(time.Duration(scattered(i) * window))))
			ended.Done()
		}()
	}
	awaitParked(&arrived, n)
	inTime := time.Now().Before(start)
	time.Sleep(time.Until(start))
	before := processCPU()
	ended.Wait()
	return float64((processCPU() - before).Nanoseconds()) / float64(n), inTime
}

func sleepers(n int) map[string]float64 {
	for lead := 8 * time.Microsecond; ; lead *= 2 {
		if each, inTime := sleepAndWake(n, lead); inTime {
			return map[string]float64{"sleeper": each}
		}
	}
}

func pingPong(int) map[string]float64 {
	const pairs, trips = 8, 5000
	var ended sync.WaitGroup
	ended.Add(2 * pairs)
	begin := time.Now()
	for range pairs {
		there, back := make(chan int), make(chan int)
		go func() {
			for i := range trips {
				there <- i
				<-back
			}
			close(there)
			ended.Done()
		}()
		go func() {
			for v := range there {
				back <- v
			}
			ended.Done()
		}()
	}
	ended.Wait()
	return map[string]float64{"ping_pong": per(begin, pairs*trips)}
}

func storm(int) map[string]float64 {
	const count, batches, fibers = 8, 5, 1000
	var storms sync.WaitGroup
	storms.Add(count)
	begin := time.Now()
	for range count {
		go func() {
			for range batches {
				var ended sync.WaitGroup
				ended.Add(fibers)
				for range fibers {
					go ended.Done()
				}
				ended.Wait()
			}
			storms.Done()
		}()
	}
	storms.Wait()
	return map[string]float64{"storm": per(begin, count*batches*fibers)}
}

func readErr(processors int) map[string]float64 {
	const reads = 1_000_000
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var readers sync.WaitGroup
	readers.Add(processors)
	var wrong atomic.Bool
	before := processCPU()
	for range processors {
		go func() {
			for range reads {
				if ctx.Err() != nil {
					wrong.Store(true)
				}
			}
			readers.Done()
		}()
	}
	readers.Wait()
	if wrong.Load() {
		panic("a context is cancelled that is not")
	}
	return map[string]float64{"err": float64((processCPU() - before).Nanoseconds()) / reads / float64(processors)}
}
