package extract

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// output is a file or stdout; the zero value is neither.
type output struct {
	name string
	file *os.File // nil: stdout
	w    *bufio.Writer
	size int64
}

// open makes a file for the operator alone, or takes stdout. What is there
// already is neither written to nor followed, unless the work goes on: then size
// bytes of it count, and the rest is cut off.
func (o *output) open(name string, stdout io.Writer, size int64, goesOn bool) error {
	o.name, o.size = name, size
	if name == "" {
		o.name, o.w = "stdout", bufio.NewWriterSize(stdout, 1<<16)
		return nil
	}
	file, err := create(name)
	if goesOn && errors.Is(err, os.ErrExist) {
		file, err = reopen(name, size)
	}
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("opening the output: %w: name another file, or remove this one", err)
	}
	if err != nil {
		return fmt.Errorf("opening the output: %w", err)
	}
	o.file, o.w = file, bufio.NewWriterSize(file, 1<<16)
	return nil
}

// create makes a file that only its owner may read. It fails where something of
// that name is there, a link too.
func create(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// openOwn opens a file of an earlier run. It follows no link and takes no pipe or
// device.
func openOwn(name string, flag int) (*os.File, error) {
	file, err := os.OpenFile(name, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%s is a link, which weir did not make", name)
	}
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is not a regular file, so weir did not make it", name), err, file.Close())
	}
	return file, nil
}

// reopen opens a file of an earlier run behind its first size bytes, for the owner
// alone, and cuts off the rest.
func reopen(name string, size int64) (*os.File, error) {
	file, err := openOwn(name, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err = file.Chmod(0o600); err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func (o *output) sync() error {
	if o.w == nil {
		return nil
	}
	err := o.w.Flush()
	if err == nil && o.file != nil {
		err = o.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing to %s: %w", o.name, err)
	}
	return nil
}

func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}

// discard closes a file to which nothing was written and, unless an earlier run
// made it, removes it.
func (o *output) discard(keep bool) error {
	if o.file == nil {
		return nil
	}
	if err := o.file.Close(); err != nil || keep {
		return err
	}
	return os.Remove(o.name)
}
