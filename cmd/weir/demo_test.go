package main

import (
	"io"
	"strings"
	"testing"
)

func TestDemoUsage(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"--once -o yaml", `-o is table or json, not "yaml"`},
		{"-o json", "-o json goes with --once"},
		{"--speed 0", "--speed is above 0 and at most 1000000, not 0"},
		{"--speed NaN", "--speed is above 0 and at most 1000000, not NaN"},
	} {
		cmd := newDemoCommand()
		cmd.SetArgs(strings.Fields(tt.args))
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		err := cmd.ExecuteContext(t.Context())
		if err == nil || err.Error() != tt.want || exitCode(err, io.Discard) != 2 {
			t.Errorf("demo %s: got %v, want %s", tt.args, err, tt.want)
		}
	}
}
