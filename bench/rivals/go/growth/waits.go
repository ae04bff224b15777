package main

import (
	"context"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func spawnJoin(n int) map[string]float64 {
	var ended sync.WaitGroup
	begin := time.Now()
	for range n {
		ended.Add(1)
		go ended.Done()
	}
	ended.Wait()
	return map[string]float64{"spawn_join": per(begin, n)}
}

func wake(n int) map[string]float64 {
	gates := make([]chan struct{}, n)
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	back := make(chan struct{})
	var arrived atomic.Int64
	var ended sync.WaitGroup
	ended.Add(n)
	begin := time.Now()
	for _, gate := range gates {
		go func() {
			arrived.Add(1)
			<-gate
			back <- struct{}{}
			ended.Done()
		}()
	}
	for arrived.Load() != int64(n) {
		runtime.Gosched()
	}
	park := per(begin, n)
	awaitParked(&arrived, n)
	begin = time.Now()
	for _, gate := range gates {
		gate <- struct{}{}
		<-back
	}
	woken := per(begin, n)
	ended.Wait()
	return map[string]float64{"park": park, "wake": woken}
}

func cancelWaiting(n int) map[string]float64 {
	never := make(chan int)
	ctx, cancel := context.WithCancel(context.Background())
	var arrived atomic.Int64
	var ended sync.WaitGroup
	ended.Add(n)
	for range n {
		go func() {
			arrived.Add(1)
			select {
			case <-never:
			case <-ctx.Done():
			}
			ended.Done()
		}()
	}
	awaitParked(&arrived, n)
	begin := time.Now()
	cancel()
	told := per(begin, n)
	ended.Wait()
	return map[string]float64{"cancel": told, "cancel_all": per(begin, n)}
}

func endWaits(n int, wake func(chan int)) float64 {
	c := make(chan int)
	var arrived atomic.Int64
	var ended sync.WaitGroup
	ended.Add(n)
	for range n {
		go func() {
			arrived.Add(1)
			<-c
			ended.Done()
		}()
	}
	awaitParked(&arrived, n)
	begin := time.Now()
	wake(c)
	ended.Wait()
	return per(begin, n)
}

func channelWaiters(n int) map[string]float64 {
	return map[string]float64{
		"send": endWaits(n, func(c chan int) {
			for i := range n {
				c <- i
			}
		}),
		"close": endWaits(n, func(c chan int) { close(c) }),
	}
}

func mutexWaiters(n int) map[string]float64 {
	var m sync.Mutex
	var arrived atomic.Int64
	var ended sync.WaitGroup
	ended.Add(n)
	m.Lock()
	for range n {
		go func() {
			arrived.Add(1)
			m.Lock()
			m.Unlock()
			ended.Done()
		}()
	}
	awaitParked(&arrived, n)
	begin := time.Now()
	m.Unlock()
	ended.Wait()
	return map[string]float64{"mutex": per(begin, n)}
}

func selectOver(n int) map[string]float64 {
	selects := min(max(20000/n, 10), 1000)
	channels := make([]chan struct{}, n)
	cases := make([]reflect.SelectCase, n)
	for i := range channels {
		channels[i] = make(chan struct{})
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(channels[i])}
	}
	asked := make(chan struct{}, 1)
	go func() {
		i := 0
		for range asked {
			channels[i*7919%n] <- struct{}{}
			i++
		}
	}()
	begin := time.Now()
	for range selects {
		asked <- struct{}{}
		reflect.Select(cases)
	}
	each := per(begin, selects*n)
	close(asked)
	return map[string]float64{"select": each}
}
