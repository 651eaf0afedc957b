package console

import (
	"sync"

	"github.com/weirhq/weir/console/access"
	"github.com/weirhq/weir/console/model"
)

// Names says who sees the names of people; the zero value has everybody see them.
type Names struct {
	For      access.Role // the least that sees them, of those of whom people were sent a message
	Personal []string    // dimensions whose identities are people
	Secret   []byte      // secret of the deployment, from which pseudonyms follow
}

// veils holds the pictures under a veil of the latest snapshot.
type veils struct {
	mu   sync.Mutex
	all  veil // hides all names; for those who see none
	some veil // hides the names of whom nobody was sent a message
}

// veil makes pictures, and keeps the latest.
type veil struct {
	model.Veil
	picture *shown // nil: no picture was made yet
}

// veiled returns what a person may see of what is shown. A picture is made when the
// first asks for it.
func (s *Server) veiled(of *shown, p access.Person) *shown {
	if s.Names.For <= access.Viewer {
		return of
	}
	s.veils.mu.Lock()
	defer s.veils.mu.Unlock()
	v, sees := &s.veils.all, p.Role >= s.Names.For
	if sees {
		v = &s.veils.some
	}
	if v.picture == nil || v.picture.version != of.version {
		v.Personal, v.Secret, v.Location, v.Sent = s.Names.Personal, s.Names.Secret, s.Location, sees
		v.picture = &shown{v.Snapshot(of.Snapshot), of.whole, of.version}
	}
	return v.picture
}
