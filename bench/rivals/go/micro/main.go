// Command micro answers the questions of bench/micro*.cpp in Go, with the same rows, the same work and the same JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
)

// request is what a row is given: on how many processors, and whether a tenth of the work will do.
type request struct {
	processors int
	quick      bool
}

func (r request) scaled(full int) int {
	if r.quick {
		return full / 10
	}
	return full
}

type value struct {
	Name       string  `json:"name"`
	Processors int     `json:"processors"`
	Value      float64 `json:"value"`
}

type row func(request) map[string]float64

var rows = map[string]row{
	"yield_2":           yield2,
	"yield_1000":        yield1000,
	"spawn_join":        spawnJoin,
	"ping_pong":         pingPong,
	"buffered_1_1":      buffered1to1,
	"buffered_4_4":      buffered4to4,
	"select_unbuffered": selectUnbuffered,
	"select_buffered":   selectBuffered,
	"mutex":             mutex,
	"skynet":            skynetRow,
	"fib":               fibRow,
	"parked":            parked,
	"context_cancel":    contextCancel,
	"context_timeout":   contextTimeout,
	"context_value":     contextValue,
	"context_tree":      contextTree,
	"timer_stop":        timerStop,
	"sleepers":          sleepers,
	"cancel_1":          cancel1,
	"cancel_1000":       cancel1000,
	"cancel_100000":     cancel100000,
}

func main() {
	wanted := flag.String("rows", "", "list of rows (default: all)")
	processors := flag.Int("processors", 1, "GOMAXPROCS")
	repeat := flag.Int("repeat", 1, "medians over so many repetitions")
	quick := flag.Bool("quick", false, "a tenth of the work")
	flag.String("json", "-", "always to standard output")
	flag.Parse()
	runtime.GOMAXPROCS(*processors)

	names := strings.Split(*wanted, ",")
	if *wanted == "" {
		names = names[:0]
		for name := range rows {
			names = append(names, name)
		}
		sort.Strings(names)
	}
	results := []value{}
	for _, name := range names {
		measure, known := rows[name]
		if !known {
			continue // a question that Go has no answer to
		}
		samples := map[string][]float64{}
		for range *repeat {
			for metric, v := range measure(request{*processors, *quick}) {
				samples[metric] = append(samples[metric], v)
			}
		}
		for metric, list := range samples {
			sort.Float64s(list)
			results = append(results, value{metric, *processors, list[len(list)/2]})
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		fmt.Fprintln(os.Stderr, "micro:", err)
		os.Exit(1)
	}
}
