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
	Secret   []byte      // of the deployment; pseudonyms follow from it
}

// veils holds the pictures under a veil of the latest snapshot.
type veils struct {
	mu       sync.Mutex
	all      model.Veil // for those who see no names
	some     model.Veil // for those who see the names of whom people were sent a message
	version  uint64
	pictures [2]*shown // by which of the two; nil: not made yet
}

// veiled returns what a person may see of what is shown. A picture is made when the
// first asks for it.
func (s *Server) veiled(of *shown, p access.Person) *shown {
	if s.Names.For <= access.Viewer {
		return of
	}
	v, which := &s.veils, 0
	if p.Role >= s.Names.For {
		which = 1
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.version != of.version {
		v.version, v.pictures = of.version, [2]*shown{}
	}
	if v.pictures[which] == nil {
		veil := []*model.Veil{&v.all, &v.some}[which]
		veil.Personal, veil.Secret, veil.Location, veil.Sent = s.Names.Personal, s.Names.Secret, s.Location, which == 1
		v.pictures[which] = &shown{veil.Snapshot(of.Snapshot), of.whole, of.version}
	}
	return v.pictures[which]
}
