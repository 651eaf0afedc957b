package console

import (
	"fmt"
	"net/http"
	"time"

	"github.com/weirhq/weir/internal/webserver"
)

// stillThere is how often a stream says that it is still there, so that proxies
// keep it open and a reader that went away is noticed.
const stillThere = 20 * time.Second

// events sends the version of a page now and whenever it changes (server-sent events);
// the page then asks for itself again.
func (s *Server) events(w http.ResponseWriter, r *http.Request, _ *call) {
	out := webserver.Stream(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	beat := time.NewTicker(stillThere)
	defer beat.Stop()
	page := r.URL.Query().Get("page")
	for {
		changed, run := s.Feed.next(), (<-chan struct{})(nil)
		if s.Tuning != nil && page == tuningPath {
			run = s.Tuning.Changed()
		}
		if _, err := fmt.Fprintf(out, "data: %s\n\n", s.version(s.Feed.current.Load(), page)); err != nil {
			return
		}
	wait:
		for {
			select {
			case <-changed:
				break wait
			case <-run:
				break wait
			case <-beat.C:
				if _, err := fmt.Fprint(out, ": still there\n\n"); err != nil {
					return
				}
			case <-r.Context().Done():
				return
			}
		}
	}
}
