package main

import (
	"runtime"
	"sort"
	"sync"
	"time"
)

const shortWork, longWork = 10 * time.Microsecond, 10 * time.Millisecond

type request struct {
	at     time.Duration
	isLong bool
	stamp  time.Time // a short one's beginning, a long one's end
}

// scheduleOf is schedule_of in bench/load_schedule.hpp.
func scheduleOf(load float64, processors int, limit time.Duration) []request {
	state := uint64(1)
	draw := func() float64 { // splitmix64
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb
		return float64((z^(z>>31))>>11) / 9007199254740992.0
	}
	half := float64(limit) * float64(processors) * load / 2
	all := []request{}
	for _, isLong := range []bool{true, false} {
		each := shortWork
		if isLong {
			each = longWork
		}
		for range int(half/float64(each) + 0.5) {
			all = append(all, request{at: time.Duration(draw() * float64(limit)), isLong: isLong})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].at < all[j].at })
	return all
}

func serve(r *request) {
	if r.isLong {
		workFor(longWork)
		r.stamp = time.Now()
	} else {
		r.stamp = time.Now()
		workFor(shortWork)
	}
}

func tail(percent int, limit time.Duration) samples {
	processors := runtime.GOMAXPROCS(0)
	requests := scheduleOf(float64(percent)/100, processors, limit)
	var served sync.WaitGroup
	served.Add(len(requests))
	begin := time.Now().Add(5 * time.Millisecond)
	time.Sleep(time.Until(begin))
	cpu := processCPU()
	for i := range requests {
		r := &requests[i]
		if left := r.at - time.Since(begin); left > 0 {
			time.Sleep(left)
		}
		go func() {
			serve(r)
			served.Done()
		}()
	}
	served.Wait()
	used := float64(processCPU()-cpu) / float64(time.Since(begin)) / float64(processors) * 100
	all := samples{"cpu": {used}}
	for _, r := range requests {
		name := "short"
		if r.isLong {
			name = "long"
		}
		all[name] = append(all[name], float64((r.stamp.Sub(begin) - r.at).Nanoseconds()))
	}
	return all
}
