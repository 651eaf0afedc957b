package task

import "time"

// settleAfter is how long nothing must come for a task to write down all it
// knows, so that a restore after a long silence needs nothing from topics that
// forget.
const settleAfter = 10 * time.Minute
