// md5_tree DIR: the MD5 digest of every regular file below DIR, sorted by path.
//
// The bounded pipeline of "Go Concurrency Patterns: Pipelines and cancellation" (go.dev/blog/pipelines), with a context
// in the place of its done channel. md5_tree.cpp is this program on weft, function by function.
package main

import (
	"bufio"
	"context"
	"crypto/md5"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

type digest = [md5.Size]byte

// A path that the walk came by, and why it cannot be read, if the walk knows already.
type found struct {
	path string
	err  error
}

type result struct {
	path string
	sum  digest
	err  error
}

type settings struct {
	root      string
	workers   int
	timeout   time.Duration
	keepGoing bool
}

// Sends each regular file below root on the first channel, and how the walk ended on the second.
func walkFiles(ctx context.Context, root string) (<-chan found, <-chan error) {
	paths := make(chan found)
	errc := make(chan error, 1) // room for one, so that nobody need be there to take it
	go func() {
		defer close(paths)
		errc <- filepath.Walk(root, func(path string, info fs.FileInfo, err error) error {
			if err == nil && !info.Mode().IsRegular() {
				return nil
			}
			select {
			case paths <- found{path, err}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	return paths, errc
}

// Reads a chunk at a time: a cancel is heard within one of them.
func md5File(ctx context.Context, path string) (sum digest, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	hash := md5.New()
	buffer := make([]byte, 64<<10)
	for ctx.Err() == nil {
		n, err := file.Read(buffer)
		hash.Write(buffer[:n])
		if err == io.EOF {
			return digest(hash.Sum(nil)), nil
		}
		if err != nil {
			return sum, err
		}
	}
	return sum, ctx.Err()
}

// Digests paths until there are no more, or ctx ends.
func digester(ctx context.Context, paths <-chan found, c chan<- result) {
	for f := range paths {
		r := result{path: f.path, err: f.err}
		if r.err == nil {
			r.sum, r.err = md5File(ctx, f.path)
		}
		select {
		case c <- r:
		case <-ctx.Done():
			return
		}
	}
}

// The digest of every regular file below s.root. The first that cannot be read ends it, unless s.keepGoing.
func md5All(parent context.Context, s settings) (m map[string]digest, skipped int, err error) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()

	paths, errc := walkFiles(ctx, s.root)

	c := make(chan result)
	var wg sync.WaitGroup
	wg.Add(s.workers)
	for i := 0; i < s.workers; i++ {
		go func() {
			digester(ctx, paths, c)
			wg.Done()
		}()
	}
	go func() {
		wg.Wait()
		close(c)
	}()

	m = make(map[string]digest)
	for r := range c {
		switch {
		case ctx.Err() != nil: // what still arrives is incomplete
		case r.err == nil:
			m[r.path] = r.sum
		case s.keepGoing:
			report(r.path, r.err)
			skipped++
		default:
			return nil, skipped, &fs.PathError{Path: r.path, Err: r.err}
		}
	}
	if err := <-errc; err != nil {
		return nil, skipped, err
	}
	return m, skipped, ctx.Err()
}

// As md5sum writes it: a name with a newline, a return or a backslash is escaped, and its line begins with a backslash.
func writeLine(w io.Writer, path string, sum digest) {
	escaped := strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r").Replace(path)
	mark := ""
	if escaped != path {
		mark = "\\"
	}
	fmt.Fprintf(w, "%s%x  %s\n", mark, sum, escaped)
}

// The innermost error alone: the path is in front of it already.
func report(path string, err error) {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	fmt.Fprintf(os.Stderr, "md5_tree: %s: %v\n", path, err)
}

func writeAll(m map[string]digest) error {
	var paths []string
	for path := range m {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	w := bufio.NewWriter(os.Stdout)
	for _, path := range paths {
		writeLine(w, path, m[path])
	}
	return w.Flush()
}

func parse() (s settings) {
	flag.IntVar(&s.workers, "workers", 20, "digest this many files at once")
	flag.DurationVar(&s.timeout, "timeout", 0, "give up after this time")
	flag.BoolVar(&s.keepGoing, "keep-going", false, "skip what cannot be read")
	flag.Parse()
	if flag.NArg() != 1 || s.workers < 1 {
		fmt.Fprintln(os.Stderr, "md5_tree: one DIR is needed, and a worker")
		os.Exit(2)
	}
	s.root = flag.Arg(0)
	return s
}

func digestTree(s settings) (map[string]digest, int, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	return md5All(ctx, s)
}

func main() {
	s := parse()
	m, skipped, err := digestTree(s)
	var unreadable *fs.PathError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(os.Stderr, "md5_tree: timed out after %v\n", s.timeout)
		os.Exit(124)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "md5_tree: interrupted")
		os.Exit(130)
	case errors.As(err, &unreadable):
		report(unreadable.Path, unreadable.Err)
		os.Exit(1)
	}
	if err := writeAll(m); err != nil {
		report("standard output", err)
		os.Exit(1)
	}
	if skipped > 0 {
		os.Exit(1)
	}
}
