// Package cancelround is bench/cancel_rounds.cpp in Go: park many goroutines, cancel their context, take down when each ran.
package cancelround

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Workload says what the goroutines wait in.
type Workload struct {
	Wait   string // done, recv, sleep, select, mutex
	Fibers int
}

// Round is what one round gave.
type Round struct {
	CancelNS    int64
	AtRest      bool
	LatenciesNS []int64
}

type state struct {
	first, second chan int
	taken         chan struct{} // a mutex whose Lock can be cancelled: one slot, full while it is held
	ran           sync.WaitGroup
	stamps        []time.Duration
	arrived       atomic.Int64
	wrong         atomic.Int64
}

var start = time.Now()

func waitForCancel(s *state, ctx context.Context, wait string) error {
	switch wait {
	case "done":
		<-ctx.Done()
		return ctx.Err()
	case "recv":
		select {
		case <-s.first:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	case "sleep":
		timer := time.NewTimer(time.Hour)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	case "select":
		select {
		case <-s.first:
			return nil
		case <-s.second:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	case "mutex":
		select {
		case s.taken <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func asleep(tid string) bool {
	text, err := os.ReadFile("/proc/self/task/" + tid + "/stat")
	if err != nil {
		return true // the thread has ended
	}
	end := strings.LastIndexByte(string(text), ')')
	return end+2 < len(text) && text[end+2] == 'S'
}

func allAsleep() bool {
	tasks, err := os.Open("/proc/self/task")
	if err != nil {
		return false
	}
	defer tasks.Close()
	names, _ := tasks.Readdirnames(-1)
	self := strconv.Itoa(syscall.Gettid())
	for _, tid := range names {
		if tid != self && !asleep(tid) {
			return false
		}
	}
	return true
}

func othersAsleep(limit time.Duration) bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	looks := 0
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if allAsleep() {
			looks++
		} else {
			looks = 0
		}
		if looks == 2 {
			return true
		}
	}
	return false
}

func runRound(s *state, load Workload, latencies []int64) Round {
	s.arrived.Store(0)
	ctx, cancel := context.WithCancel(context.Background())
	s.ran.Add(load.Fibers)
	for i := range s.stamps {
		go func() {
			s.arrived.Add(1)
			err := waitForCancel(s, ctx, load.Wait)
			s.stamps[i] = time.Since(start)
			if err != context.Canceled {
				s.wrong.Add(1)
			}
			s.ran.Done()
		}()
	}
	for s.arrived.Load() != int64(load.Fibers) {
		runtime.Gosched()
	}
	for range 3 {
		runtime.Gosched()
	}
	atRest := othersAsleep(20 * time.Millisecond)

	begin := time.Since(start)
	cancel()
	returned := time.Since(start)
	s.ran.Wait()

	for i, stamp := range s.stamps {
		latencies[i] = int64(stamp - begin)
	}
	return Round{int64(returned - begin), atRest, latencies}
}

// Run gives every round to take, after warmUp rounds that are not counted.
func Run(load Workload, warmUp, rounds int, take func(Round)) error {
	s := &state{first: make(chan int), second: make(chan int), taken: make(chan struct{}, 1), stamps: make([]time.Duration, load.Fibers)}
	s.taken <- struct{}{}
	latencies := make([]int64, load.Fibers)
	for i := range warmUp + rounds {
		round := runRound(s, load, latencies)
		if i >= warmUp {
			take(round)
		}
	}
	if wrong := s.wrong.Load(); wrong != 0 {
		return fmt.Errorf("%d waits did not report their cancellation", wrong)
	}
	return nil
}
