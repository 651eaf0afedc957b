package child

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// bound bounds the data of a process: its heap and whatever else it maps to write to.
func bound(p *os.Process, bytes int64) error {
	limit := unix.Rlimit{Cur: uint64(bytes), Max: uint64(bytes)}
	if err := unix.Prlimit(p.Pid, unix.RLIMIT_DATA, &limit, nil); err != nil {
		return fmt.Errorf("bounding its memory: %w", err)
	}
	return nil
}
