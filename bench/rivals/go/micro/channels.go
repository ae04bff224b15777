package main

import (
	"sync"
	"time"
)

const capacity = 128

func pingPong(r request) map[string]float64 {
	trips := r.scaled(1_000_000)
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	start := time.Now()
	for i := range trips {
		there <- i
		<-back
	}
	each := nanoseconds(start, trips)
	close(there)
	return map[string]float64{"ping_pong": each}
}

func perItem(items, senders, receivers int) float64 {
	c := make(chan int, capacity)
	var sent, received sync.WaitGroup
	sent.Add(senders)
	received.Add(receivers)
	start := time.Now()
	for range receivers {
		go func() {
			for range c {
			}
			received.Done()
		}()
	}
	for range senders {
		go func() {
			for i := range items / senders {
				c <- i
			}
			sent.Done()
		}()
	}
	sent.Wait()
	close(c)
	received.Wait()
	return nanoseconds(start, items)
}

func buffered1to1(r request) map[string]float64 {
	return map[string]float64{"buffered_1_1": perItem(r.scaled(4_000_000), 1, 1)}
}

func buffered4to4(r request) map[string]float64 {
	return map[string]float64{"buffered_4_4": perItem(r.scaled(4_000_000), 4, 4)}
}

func perSelect(items, capacity int) float64 {
	var c [4]chan int
	for i := range c {
		c[i] = make(chan int, capacity)
	}
	start := time.Now()
	for _, out := range c {
		go func() {
			for i := range items / 4 {
				out <- i
			}
		}()
	}
	for range items / 4 * 4 {
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		}
	}
	return nanoseconds(start, items)
}

func selectUnbuffered(r request) map[string]float64 {
	return map[string]float64{"select_unbuffered": perSelect(r.scaled(1_000_000), 0)}
}

func selectBuffered(r request) map[string]float64 {
	return map[string]float64{"select_buffered": perSelect(r.scaled(1_000_000), capacity)}
}
