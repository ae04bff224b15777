package main

import (
	"sync"
	"time"
)

const (
	serverCount, clientCount = 1000, 10
	servedFor                = 10 * time.Microsecond
	clientPeriod             = time.Millisecond

	burst       = 1000
	burstPeriod = 10 * time.Millisecond
	burstWork   = time.Microsecond
)

type answer chan struct{}

type servers struct {
	inboxes []chan answer
	ended   sync.WaitGroup
}

func startServers() *servers {
	s := &servers{inboxes: make([]chan answer, serverCount)}
	s.ended.Add(serverCount)
	for i := range s.inboxes {
		inbox := make(chan answer)
		s.inboxes[i] = inbox
		go func() {
			for a := range inbox {
				workFor(servedFor)
				a <- struct{}{}
			}
			s.ended.Done()
		}()
	}
	return s
}

func (s *servers) end() {
	for _, inbox := range s.inboxes {
		close(inbox)
	}
	s.ended.Wait()
}

func (s *servers) ask(client, request int, a answer) {
	s.inboxes[(client*101+request*7)%serverCount] <- a
	<-a
}

func ask(name string, client func(number int) []float64) samples {
	durations := make([][]float64, clientCount)
	var clients sync.WaitGroup
	clients.Add(clientCount)
	begin, cpu := time.Now(), processCPU()
	for c := range clientCount {
		go func() {
			durations[c] = client(c)
			clients.Done()
		}()
	}
	clients.Wait()
	used, passed := processCPU()-cpu, time.Since(begin)
	every := []float64{}
	for _, some := range durations {
		every = append(every, some...)
	}
	count := float64(len(every))
	return samples{name: every, name + "_cpu": {float64(used) / count}, name + "_each": {float64(passed) / count}}
}

func few(limit time.Duration) samples {
	all := startServers()
	defer all.end()
	begin := time.Now().Add(5 * time.Millisecond)
	return ask("few", func(c int) []float64 {
		durations := []float64{}
		a := make(answer, 1)
		due := begin.Add(time.Duration(c) * clientPeriod / clientCount)
		for i := 0; due.Before(begin.Add(limit)); i++ {
			if left := time.Until(due); left > 0 {
				time.Sleep(left)
			}
			all.ask(c, i, a)
			durations = append(durations, float64(time.Since(due).Nanoseconds()))
			due = due.Add(clientPeriod)
		}
		return durations
	})
}

func busy(limit time.Duration) samples {
	all := startServers()
	defer all.end()
	end := time.Now().Add(limit)
	return ask("busy", func(c int) []float64 {
		durations := []float64{}
		a := make(answer, 1)
		asked := time.Now()
		for i := 0; asked.Before(end); i++ {
			all.ask(c, i, a)
			now := time.Now()
			durations = append(durations, float64(now.Sub(asked).Nanoseconds()))
			asked = now
		}
		return durations
	})
}

func bursts(limit time.Duration) samples {
	all := samples{}
	begin := time.Now().Add(5 * time.Millisecond)
	cpu := processCPU()
	for due := begin; due.Before(begin.Add(limit)); due = due.Add(burstPeriod) {
		time.Sleep(time.Until(due))
		var ended sync.WaitGroup
		ended.Add(burst)
		for range burst {
			go func() {
				workFor(burstWork)
				ended.Done()
			}()
		}
		ended.Wait()
		all["burst"] = append(all["burst"], float64(time.Since(due).Nanoseconds()))
	}
	used := float64((processCPU() - cpu).Nanoseconds())
	all["burst_cpu"] = []float64{used / burst / float64(len(all["burst"]))}
	return all
}
