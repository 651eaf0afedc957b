package fact

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/weirhq/weir/internal/eventtime"
)

// testdata/logins tells in which ticks people sign in, and asks what that proves.
func TestLoginLog(t *testing.T) {
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	l := NewLoginLog(grid, 3)
	datadriven.RunTest(t, "testdata/logins", func(t *testing.T, d *datadriven.TestData) string {
		var tick, from, before int64
		d.MaybeScanArgs(t, "tick", &tick)
		d.MaybeScanArgs(t, "from", &from)
		d.MaybeScanArgs(t, "before", &before)
		switch d.Cmd {
		case "logins":
			for _, word := range strings.Fields(d.Input) {
				at, err := strconv.ParseInt(word, 10, 64)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				l.SignedIn(at)
			}
		case "learns":
			return fmt.Sprintln(l.Learns(tick))
		case "covers":
			l.FindGaps(tick)
			return fmt.Sprintln(l.Covers(from, tick))
		case "forget":
			l.Forget(before)
		default:
			d.Fatalf(t, "unknown command %s", d.Cmd)
		}
		return ""
	})
}
