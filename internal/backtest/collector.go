package backtest

import (
	"os"
	"runtime/debug"
)

// CollectSeldom has the garbage collector of the process run when the memory in use is
// four times what was live, and not twice, unless GOGC says otherwise: what is known of
// the identities of a log takes little, and what is made for each tick much.
func CollectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}
