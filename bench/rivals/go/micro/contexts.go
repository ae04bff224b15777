package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"rivals/cancelround"
)

func contextCancel(r request) map[string]float64 {
	n := r.scaled(2_000_000)
	start := time.Now()
	for range n {
		_, cancel := context.WithCancel(context.Background())
		cancel()
	}
	return map[string]float64{"context_cancel": nanoseconds(start, n)}
}

func contextTimeout(r request) map[string]float64 {
	n := r.scaled(1_000_000)
	start := time.Now()
	for range n {
		_, cancel := context.WithTimeout(context.Background(), time.Hour)
		cancel()
	}
	return map[string]float64{"context_timeout": nanoseconds(start, n)}
}

type key int

func contextValue(r request) map[string]float64 {
	n := r.scaled(10_000_000)
	ctx := context.Background()
	for depth := range 10 {
		ctx = context.WithValue(ctx, key(depth), depth+1)
	}
	sum := 0
	start := time.Now()
	for range n {
		sum += ctx.Value(key(0)).(int)
	}
	each := nanoseconds(start, n)
	if sum != n {
		panic("context: wrong value")
	}
	return map[string]float64{"context_value": each}
}

func contextTree(request) map[string]float64 {
	root, cancel := context.WithCancel(context.Background())
	tree := make([]context.Context, 0, 111_111)
	tree = append(tree, root)
	for parent := range 11_111 {
		for range 10 {
			child, cancelChild := context.WithCancel(tree[parent])
			defer cancelChild()
			tree = append(tree, child)
		}
	}
	start := time.Now()
	cancel()
	took := milliseconds(start)
	return map[string]float64{"context_tree": took}
}

func timerStop(r request) map[string]float64 {
	timers := r.scaled(2_000_000) / r.processors
	var ended sync.WaitGroup
	ended.Add(r.processors)
	start := time.Now()
	for range r.processors {
		go func() {
			for range timers {
				time.NewTimer(time.Hour).Stop()
			}
			ended.Done()
		}()
	}
	ended.Wait()
	return map[string]float64{"timer_stop": nanoseconds(start, timers*r.processors)}
}

func cpuMilliseconds() float64 {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e6
}

func sleepers(r request) map[string]float64 {
	goroutines := r.scaled(100_000)
	late := make([]time.Duration, goroutines)
	var ended sync.WaitGroup
	ended.Add(goroutines)
	before := cpuMilliseconds()
	for i := range goroutines {
		go func() {
			begin := time.Now()
			nap := time.Second * time.Duration(i+1) / time.Duration(goroutines)
			time.Sleep(nap)
			late[i] = time.Since(begin) - nap
			ended.Done()
		}()
	}
	ended.Wait()
	cpu := cpuMilliseconds() - before
	slices.Sort(late)
	at := func(percent int) float64 { return float64(late[(goroutines*percent+99)/100-1]) / 1e3 }
	return map[string]float64{"sleepers_cpu": cpu, "sleepers_p50": at(50), "sleepers_p99": at(99)}
}

// In each round, when the last goroutine had run.
func lastOfRounds(goroutines, rounds int) []int64 {
	var last []int64
	load := cancelround.Workload{Wait: "done", Fibers: goroutines}
	err := cancelround.Run(load, max(1, rounds/10), rounds, func(r cancelround.Round) {
		last = append(last, slices.Max(r.LatenciesNS))
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "micro:", err)
		os.Exit(1)
	}
	slices.Sort(last)
	return last
}

func percentile(sorted []int64, percent int) float64 {
	return float64(sorted[max(1, (len(sorted)*percent+99)/100)-1]) / 1e3
}

func cancel1(r request) map[string]float64 {
	last := lastOfRounds(1, r.scaled(5000))
	return map[string]float64{"cancel_1_p50": percentile(last, 50), "cancel_1_p99": percentile(last, 99)}
}

func cancel1000(r request) map[string]float64 {
	return map[string]float64{"cancel_1000": percentile(lastOfRounds(1000, r.scaled(200)), 50)}
}

func cancel100000(r request) map[string]float64 {
	rounds := 5
	if r.quick {
		rounds = 1
	}
	return map[string]float64{"cancel_100000": percentile(lastOfRounds(100_000, rounds), 50) / 1e3}
}
