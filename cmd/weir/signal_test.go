package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// signalChild is set in a process that waits for signals as weir does, and then
// never ends by itself.
const signalChild = "WEIR_TEST_SIGNAL_CHILD"

// The first signal asks weir to stop; the second ends it at once, whatever it
// waits for.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	if os.Getenv(signalChild) != "" {
		ctx, stop := untilSignal()
		defer stop()
		fmt.Println("waiting")
		<-ctx.Done()
		fmt.Println("stopping")
		select {}
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		child := exec.Command(os.Args[0], "-test.run=^TestSecondSignalEndsAtOnce$")
		child.Env = append(os.Environ(), signalChild+"=1")
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		limit := time.AfterFunc(30*time.Second, func() { _ = child.Process.Kill() })
		lines := bufio.NewScanner(out)
		for _, want := range []string{"waiting", "stopping"} {
			if !lines.Scan() || lines.Text() != want {
				t.Fatalf("the process says %q, want %q", lines.Text(), want)
			}
			if err := child.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
		}
		// The handler of the first signal goes a moment after the context has ended.
		again := time.NewTicker(50 * time.Millisecond)
		ended := make(chan struct{})
		go func() {
			for {
				select {
				case <-again.C:
					_ = child.Process.Signal(signal) // it may have ended
				case <-ended:
					return
				}
			}
		}()
		_ = child.Wait() // it ended by a signal, as is checked below
		close(ended)
		again.Stop()
		limit.Stop()
		if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != signal {
			t.Errorf("the process ended with %v, want by the second %v", child.ProcessState, signal)
		}
	}
}
