package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// readers says whom a secret file is open to beside who must read it; empty:
// nobody, or nothing is known of the file.
func readers(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return openTo(info.Mode(), ok && int(stat.Uid) == os.Geteuid())
}

// openTo is readers of a file with a mode. A group counts only where the file is
// our own: one of somebody else's, such as a mounted secret of root's, is often read
// by its group.
func openTo(mode fs.FileMode, own bool) string {
	switch {
	case mode&0o007 != 0:
		return fmt.Sprintf("everybody on this machine (mode %04o)", mode.Perm())
	case own && mode&0o070 != 0:
		return fmt.Sprintf("its group (mode %04o)", mode.Perm())
	}
	return ""
}
