package sources

import (
	"testing"
	"time"
)

// A partition that the client never begins with is not waited for, unless nothing of it
// was ever read, or it came just now.
func TestPartitionThatNeverBegan(t *testing.T) {
	now := time.Now()
	long := now.Add(-mostLoading - time.Second)
	for _, test := range []struct {
		name string
		p    partition
		want bool
	}{
		{"taken over by another worker meanwhile", partition{from: 7, gained: long}, true},
		{"just assigned", partition{from: 7, gained: now}, false},
		{"begun with", partition{from: 7, gained: long, loaded: true}, false},
		{"empty", partition{gained: long}, false},
	} {
		if got := test.p.neverBegan(now); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
