package model

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
)

// Veil puts pseudonyms in the place of people's names. It belongs to one goroutine at a
// time. What it returns shares with the original what holds no name.
//
// A veiled episode has its latest sentence made anew; sentences of messages before, and
// the details of facts, are left out, since names may stand in them.
type Veil struct {
	Personal []string // dimensions whose identities are people
	Secret   []byte   // key of the pseudonyms: without it nobody can tell whose one is
	Location *time.Location
	// Sent has the names of those shown of whom people were sent a message.
	Sent bool
	// Only has only these pseudonyms put in the place of names, and none in an episode that
	// is open: no warning is hidden by it. Nil: all.
	Only map[string]bool

	known map[*Episode]*Episode // veiled episodes of the latest snapshot, by their originals
}

// Pseudonym returns what stands for a name.
func (v *Veil) Pseudonym(dimension, name string) string {
	mac := hmac.New(sha256.New, v.Secret)
	mac.Write([]byte(dimension + "\x00" + name))
	return "person-" + hex.EncodeToString(mac.Sum(nil)[:5])
}

var isPseudonym = regexp.MustCompile("^person-[0-9a-f]{10}$")

// name returns the name that is shown of an identity.
func (v *Veil) name(dimension, name string) string {
	if !slices.Contains(v.Personal, dimension) || isPseudonym.MatchString(name) {
		return name
	}
	if pseudonym := v.Pseudonym(dimension, name); v.Only == nil || v.Only[pseudonym] {
		return pseudonym
	}
	return name
}

// Name returns the name that is shown of an identity, or of what a campaign shares.
func (v *Veil) Name(dimension, name string) string {
	if dimension == alerting.CampaignDimension {
		return v.text(name)
	}
	return v.name(dimension, name)
}

// text returns what is shown of a text of a dimension and an identity, such as the
// identity of a campaign, which is what its members share.
func (v *Veil) text(text string) string {
	for _, d := range v.Personal {
		for _, separator := range []string{" ", ":"} {
			if name, ok := strings.CutPrefix(text, d+separator); ok {
				return d + separator + v.name(d, name)
			}
		}
	}
	return text
}

// Snapshot returns the picture under the veil.
func (v *Veil) Snapshot(s *Snapshot) *Snapshot {
	out := &Snapshot{Judged: s.Judged, Latest: s.Latest, Gone: s.Gone, byKey: make(map[string]*Episode, len(s.byKey)), byIdentity: map[identity][]*Episode{}, byCampaign: map[string][]*Episode{}}
	known := make(map[*Episode]*Episode, len(s.list))
	for _, e := range s.list {
		veiled := v.known[e]
		if veiled == nil {
			veiled = v.episode(e)
		}
		known[e] = veiled
		out.add(veiled)
	}
	v.known = known
	out.weeks, out.levels = v.weeks(s), s.levels
	for _, h := range s.holders {
		h.By, h.Subject = v.heldBy(h.By), v.text(h.Subject)
		out.holders = append(out.holders, h)
	}
	return out
}

// weeks returns what is kept of evidence, under the names that are shown.
func (v *Veil) weeks(s *Snapshot) map[identity]Watched {
	out := make(map[identity]Watched, len(s.weeks))
	for id, week := range s.weeks {
		shown := v.Sent && slices.ContainsFunc(s.byIdentity[id], (*Episode).WasSent) ||
			v.Only != nil && slices.ContainsFunc(s.byIdentity[id], (*Episode).IsOpen)
		if !shown {
			id.name = v.name(id.dimension, id.name)
		}
		out[id] = week
	}
	return out
}

// heldBy returns what held a message back; the reason of one that stands for others names
// it.
func (v *Veil) heldBy(by correlate.SuppressedBy) correlate.SuppressedBy {
	if by.Kind == correlate.ByCampaign {
		by.Reason = ""
	}
	return by
}

func (v *Veil) episode(e *Episode) *Episode {
	if v.Sent && e.WasSent() || v.Only != nil && (e.IsOpen() || !v.names(e.Alert)) {
		return e
	}
	out := e.clone()
	out.Alert = v.alert(e.Alert)
	for i := range out.Messages {
		m := &out.Messages[i]
		if m.Summary = ""; m.HeldBy != nil {
			by := v.heldBy(*m.HeldBy)
			m.HeldBy = &by
		}
	}
	out.Latest().Summary = out.Alert.Summary
	return out
}

func (v *Veil) alert(a *alerting.Alert) *alerting.Alert {
	out := *a
	out.Identity, out.Evidence.Peers = v.Name(a.Dimension, a.Identity), v.text(a.Evidence.Peers)
	out.Detail, out.Benign, out.Checks, out.Links = nil, nil, nil, alerting.Links{}
	if a.Members != nil {
		members := *a.Members
		members.Top, members.Also = v.members(members.Top), v.members(members.Also)
		out.Members = &members
	}
	out.Top.Names = nil
	if a.Person != nil {
		out.Person = &alerting.Person{Criticality: a.Person.Criticality, Group: a.Person.Group}
	}
	if slices.Contains(v.Personal, "user") {
		out.Top.Users = slices.Clone(a.Top.Users)
		for i := range out.Top.Users {
			out.Top.Users[i].Value = v.name("user", out.Top.Users[i].Value)
		}
	}
	out.Summary = alerting.Summarize(&out, v.Location)
	return &out
}

// names reports whether an alert names anybody who is hidden.
func (v *Veil) names(a *alerting.Alert) bool {
	hides := func(dimension, name string) bool { return name != "" && v.name(dimension, name) != name }
	if v.Name(a.Dimension, a.Identity) != a.Identity || v.text(a.Evidence.Peers) != a.Evidence.Peers {
		return true
	}
	if a.Members != nil {
		for _, m := range a.Members.Named() {
			if hides(m.Dimension, m.Identity) {
				return true
			}
		}
	}
	for _, u := range a.Top.Users {
		if hides("user", u.Value) {
			return true
		}
	}
	for _, d := range v.Personal {
		if a.Person != nil && hides(d, a.Person.Manager) {
			return true
		}
		for _, text := range a.Detail {
			if hides(d, text) {
				return true
			}
		}
	}
	return false
}

func (v *Veil) members(list []alerting.Member) []alerting.Member {
	list = slices.Clone(list)
	for i := range list {
		list[i].Identity = v.name(list[i].Dimension, list[i].Identity)
	}
	return list
}
