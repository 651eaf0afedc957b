package alertingtest

import (
	"bytes"
	"os"
	"testing"
)

// Golden compares what a destination sends with a file, or writes the file.
func Golden(t *testing.T, rewrite bool, path string, got []byte) {
	t.Helper()
	got = append(bytes.TrimRight(got, "\n"), '\n')
	if rewrite {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run the test with -rewrite to take what is found, and read it)\ngot\n%s", path, got)
	}
}
