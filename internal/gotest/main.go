// Command gotest runs go test with the arguments it is given, and says as it
// goes what the gate wants to know: each package when it ends, each slow test
// when it ends, what is running when nothing else was said for a while, the
// whole output of what failed; at last the ten slowest tests, and what was left
// out for want of something, such as a Docker engine.
//
// A test that is left out for want of X skips itself with the words "no X: why".
// Under CI (CI or WEIR_REQUIRE_DOCKER is set) one such test fails the run.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const heartbeat = 20 * time.Second

func main() {
	args := append([]string{"test", "-json"}, os.Args[1:]...)
	fmt.Println("go", strings.Join(args, " "))
	r := newReport(os.Stdout, time.Now())
	r.strict = os.Getenv("CI") != "" || os.Getenv("WEIR_REQUIRE_DOCKER") == "1"
	code := 0
	if err := run(exec.Command("go", args...), r); err != nil {
		code = 1
		if _, failed := errors.AsType[*exec.ExitError](err); !failed {
			fmt.Fprintln(os.Stderr, "gotest:", err)
		}
	}
	if !r.close(time.Now()) {
		code = 1
	}
	os.Exit(code)
}

// run lets the report have each line that the command writes, and the time now
// and then.
func run(cmd *exec.Cmd, r *report) error {
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("running go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running go test: %w", err)
	}
	lines, read := make(chan []byte), make(chan error, 1)
	go func() { read <- scan(stdout, lines) }()
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for lines != nil {
		select {
		case line, more := <-lines:
			if !more {
				lines = nil
				continue
			}
			r.line(line)
		case now := <-clock.C:
			r.beat(now)
		}
	}
	if err := <-read; err != nil {
		return fmt.Errorf("reading what go test says: %w", err)
	}
	return cmd.Wait()
}

// scan sends the lines of a stream, and closes the channel at its end.
func scan(from io.Reader, lines chan<- []byte) error {
	defer close(lines)
	buffered := bufio.NewReader(from)
	for {
		line, err := buffered.ReadBytes('\n')
		if len(line) > 0 {
			lines <- line
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
