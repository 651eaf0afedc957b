package deployment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/weirhq/weir/config"
	"github.com/weirhq/weir/internal/webserver"
)

// listeners are what is served, by the address at which it is.
type listeners map[string]*http.ServeMux

// mux returns what is served at the first address that is set; nil if that is off.
func (l listeners) mux(addresses ...string) *http.ServeMux {
	for _, address := range addresses {
		switch {
		case address == "":
			continue
		case address == config.Off:
			return nil
		case l[address] == nil:
			l[address] = http.NewServeMux()
		}
		return l[address]
	}
	return nil
}

// serve begins to listen at each address, each with limits and connections of its own,
// until stop is called.
func (l listeners) serve(c *config.Config, log *slog.Logger) (stop func(), err error) {
	var servers []*webserver.Server
	stop = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		for _, s := range servers {
			_ = s.Shutdown(ctx) // the process ends anyway
		}
	}
	for _, key := range []struct{ name, address string }{
		{"http.listen", c.HTTP.Listen}, {"http.admin_listen", c.HTTP.AdminListen}, {"http.slack_listen", c.HTTP.SlackListen},
	} {
		mux := l[key.address]
		if mux == nil {
			continue
		}
		delete(l, key.address) // two keys may name one address
		listener, err := net.Listen("tcp", key.address)
		if err != nil {
			stop()
			return nil, c.At(key.name, fmt.Errorf("%w; choose another address, or off", err))
		}
		server := webserver.New(mux, webserver.Defaults())
		if w := c.HTTP.Web; w != nil {
			server.Handler, server.TLSConfig = w.Handler(server.Handler), w.TLS
		}
		servers = append(servers, server)
		go func() {
			if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
				log.Error("serving", "key", key.name, "error", err)
			}
		}()
		log.Info("serving", "key", key.name, "address", listener.Addr().String())
	}
	return stop, nil
}
