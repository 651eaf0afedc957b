package stream

import (
	"encoding/binary"

	"github.com/weirhq/weir/internal/wire"
)

// SignIn tells that an account began a session in a tick, or was issued a token.
// It goes to the partition of the account alone, and counts as an act of someone
// who has left: of everybody else a session is no access, and it is dropped.
type SignIn struct {
	Account     string
	Tick, Apply int64 // Apply: as of Partial
}

// AppendSignIns appends the binary form of a list of sign-ins.
func AppendSignIns(b []byte, list []SignIn) []byte {
	return wire.AppendList(b, list, func(b []byte, s *SignIn) []byte {
		b = wire.AppendText(b, s.Account)
		b = binary.AppendVarint(b, s.Tick)
		return binary.AppendUvarint(b, uint64(s.Apply-s.Tick))
	})
}

func readSignIns(r *wire.Reader) []SignIn {
	return wire.List(r, func() SignIn {
		s := SignIn{Account: r.Text(), Tick: r.Varint()}
		s.Apply = s.Tick + int64(r.Uvarint())
		return s
	})
}
