package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenTo(t *testing.T) {
	for _, c := range []struct {
		mode fs.FileMode
		own  bool
		want string
	}{
		{0o600, true, ""},
		{0o400, true, ""},
		{0o644, true, "everybody on this machine (mode 0644)"},
		{0o644, false, "everybody on this machine (mode 0644)"},
		{0o602, true, "everybody on this machine (mode 0602)"},
		{0o640, true, "its group (mode 0640)"},
		{0o440, false, ""}, // a secret that Kubernetes mounts for the pod's group
	} {
		if got := openTo(c.mode, c.own); got != c.want {
			t.Errorf("mode %04o, own %v: %q, want %q", c.mode, c.own, got, c.want)
		}
	}
}

// A record key that others can read is warned about, with its line.
func TestOpenRecordKey(t *testing.T) {
	key := filepath.Join(t.TempDir(), "record.key")
	if err := os.WriteFile(key, []byte("00112233445566778899aabbccddeeff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[fs.FileMode]string{
		0o600: "",
		0o644: "x:2: record_key_file: the key is open to everybody on this machine (mode 0644)",
		0o640: "x:2: record_key_file: the key is open to its group (mode 0640)",
	} {
		if err := os.Chmod(key, mode); err != nil {
			t.Fatal(err)
		}
		c, err := Parse("x", []byte("sources: [{topic: access}]\nrecord_key_file: "+key+"\n"), env)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(c.Warnings(), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("mode %04o: warnings %q, want %q", mode, got, want)
		}
	}
}
