package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain is the program that the tests run, where its first argument is a word of
// theirs.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case "hello":
		fmt.Println("a list")
		fmt.Fprintln(os.Stderr, "half")
		fmt.Fprintln(os.Stderr, "done")
	case "place":
		var score, stat []byte
		for i := 0; i < 500 && string(score) != "1000\n"; i++ { // it is set once the process has begun
			time.Sleep(10 * time.Millisecond)
			score, _ = os.ReadFile("/proc/self/oom_score_adj")
			stat, _ = os.ReadFile("/proc/self/stat")
		}
		fmt.Printf("niceness %s, score %s", strings.Fields(string(stat))[18], score) // proc_pid_stat(5)
	case "fail":
		fmt.Fprintln(os.Stderr, "there is no such episode")
		os.Exit(1)
	case "sleep":
		fmt.Fprintln(os.Stderr, "begun")
		time.Sleep(time.Minute) // it is killed long before; else the test sees that it ended by itself
	case "eat":
		var all [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			if all = append(all, b); len(all) == 160 {
				fmt.Println(len(all))
				return
			}
		}
	default:
		os.Exit(m.Run())
	}
}

const memory = 96 << 20

func TestRun(t *testing.T) {
	r := &Runner{Memory: memory}
	var out, said strings.Builder
	if err := r.Run(t.Context(), []string{"hello"}, &out, func(l string) { said.WriteString(l + ";") }); err != nil || out.String() != "a list\n" || said.String() != "half;done;" {
		t.Errorf("%v, wrote %q, said %q", err, out.String(), said.String())
	}
	if err := r.Run(t.Context(), []string{"fail"}, io.Discard, func(string) {}); err == nil || !strings.Contains(err.Error(), "there is no such episode") {
		t.Errorf("a process that fails: %v", err)
	}
	if err := (&Runner{Memory: memory, Program: "/nowhere"}).Run(t.Context(), []string{"hello"}, io.Discard, func(string) {}); err == nil {
		t.Error("a program that is not there runs")
	}
}

// One process runs at a time, and ends with its context.
func TestOneAtATime(t *testing.T) {
	r := &Runner{Memory: memory}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- r.Run(ctx, []string{"sleep"}, io.Discard, func(string) { close(begun) }) }()
	select {
	case <-begun:
	case err := <-ended:
		t.Fatal("it ended before it had begun: ", err)
	}
	if err := r.Run(t.Context(), []string{"hello"}, io.Discard, func(string) {}); !errors.Is(err, ErrBusy) {
		t.Errorf("beside another: %v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := r.Run(t.Context(), []string{"hello"}, io.Discard, func(string) {}); err != nil {
		t.Errorf("after another: %v", err)
	}
}

// A process stands back for the processor, and goes first when memory runs out.
func TestStandsBack(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no Linux: elsewhere a process has the priority of its parent; run it there")
	}
	var out strings.Builder
	if err := (&Runner{Memory: 512 << 20}).Run(t.Context(), []string{"place"}, &out, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if said := out.String(); !strings.HasPrefix(said, "niceness 1") || !strings.HasSuffix(said, "score 1000\n") {
		t.Errorf("it says %q, want a niceness of at least 10 and the score 1000", said)
	}
}

// A process that wants more memory than it may have fails, and takes nothing with it.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no Linux: elsewhere nothing bounds the memory of a process; run it there")
	}
	if err := (&Runner{Memory: 512 << 20}).Run(t.Context(), []string{"eat"}, io.Discard, func(string) {}); err != nil {
		t.Fatal("160 MB of 512 MiB:", err)
	}
	if err := (&Runner{Memory: memory}).Run(t.Context(), []string{"eat"}, io.Discard, func(string) {}); err == nil {
		t.Error("160 MB of 96 MiB are taken")
	}
}
