package extract

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// output is a file or stdout; the zero value is neither.
type output struct {
	name string
	file *os.File // nil: stdout
	w    *bufio.Writer
	size int64
}

// open opens a file for the operator alone, with what it holds beyond size cut
// off; or takes stdout.
func (o *output) open(name string, stdout io.Writer, size int64) error {
	o.name, o.size = name, size
	if name == "" {
		o.name, o.w = "stdout", bufio.NewWriterSize(stdout, 1<<16)
		return nil
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the output: %w", err)
	}
	if err = file.Truncate(size); err == nil {
		_, err = file.Seek(size, io.SeekStart)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("opening the output: %w", err), file.Close())
	}
	o.file, o.w = file, bufio.NewWriterSize(file, 1<<16)
	return nil
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
