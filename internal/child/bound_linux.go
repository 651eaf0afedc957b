package child

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// niceness is how much a process stands back behind others for the processor.
const niceness = 10

// apart gives a command a group of its own, which bound sets the priority of.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// bound bounds the data of a process: its heap and whatever else it maps to write to.
// The process stands back for the processor, and is the first to go where the machine or
// the container runs out of memory.
func bound(p *os.Process, bytes int64) error {
	limit := unix.Rlimit{Cur: uint64(bytes), Max: uint64(bytes)}
	if err := unix.Prlimit(p.Pid, unix.RLIMIT_DATA, &limit, nil); err != nil {
		return fmt.Errorf("bounding its memory: %w", err)
	}
	if err := unix.Setpriority(unix.PRIO_PGRP, p.Pid, niceness); err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.EACCES) {
		return fmt.Errorf("setting its priority: %w", err) // it may have ended, or have stood back further already
	}
	err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", p.Pid), []byte("1000"), 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("having it go first when memory runs out: %w", err)
	}
	return nil
}
