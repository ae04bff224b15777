package main

import (
	"encoding/binary"
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// wakes has wait wait, again and again, and say by how much it was late.
func wakes(name string, limit time.Duration, wait func() float64) samples {
	wait()
	late := []float64{}
	end := time.Now().Add(limit)
	cpu := processCPU()
	for {
		late = append(late, wait())
		if !time.Now().Before(end) {
			break
		}
	}
	used := float64((processCPU() - cpu).Nanoseconds())
	return samples{name: late, name + "_cpu": {used / float64(len(late))}}
}

func byTimer(pause, limit time.Duration) samples {
	return wakes("timer", limit, func() float64 {
		due := time.Now().Add(pause)
		time.Sleep(pause)
		return float64(time.Since(due).Nanoseconds())
	})
}

// monotonicNow is the clock that the events' stamps are of.
func monotonicNow() int64 {
	const clockMonotonic = 1
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

func byPipe(events, answers int, limit time.Duration) samples {
	base, begin := monotonicNow(), time.Now()
	reader := os.NewFile(uintptr(events), "events")
	stamp := make([]byte, 8)
	return wakes("pipe", limit, func() float64 {
		if _, err := io.ReadFull(reader, stamp); err != nil {
			panic(err)
		}
		now := base + time.Since(begin).Nanoseconds()
		if _, err := syscall.Write(answers, []byte("x")); err != nil {
			panic(err)
		}
		return float64(now - int64(binary.NativeEndian.Uint64(stamp)))
	})
}
