package model

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weirhq/weir/alerting"
	"github.com/weirhq/weir/stream/correlate"
)

// MaxHolders is how many rules, verdicts and campaigns that held messages back
// are kept; beyond it those go that have held nothing back for the longest.
const MaxHolders = 5000

// Holder is what held messages back: an expectation of the configuration, a
// verdict, or a message that stands for others.
type Holder struct {
	By       correlate.SuppressedBy `json:"by"`
	Messages int64                  `json:"messages"` // that it held back
	Episodes int64                  `json:"episodes"` // that these were of; at most maxHeldKeys are told apart
	Most     int64                  `json:"most"`     // records, or rows, that the largest of them exposed
	First    alerting.Time          `json:"first"`    // event time of the first
	Last     alerting.Time          `json:"last"`
	Example  string                 `json:"example"` // dedup key of the latest
	Subject  string                 `json:"subject"` // dimension and identity of the latest
}

type holderID struct {
	kind correlate.SuppressedKind
	name string
}

// maxHeldKeys is how many episodes of one holder are told apart.
const maxHeldKeys = 1000

type holder struct {
	Holder
	keys map[string]bool
}

type holders map[holderID]*holder

// count counts a message that was held back.
func (h holders) count(by *correlate.SuppressedBy, a *alerting.Alert) {
	id := holderID{by.Kind, by.Name}
	of := h[id]
	if of == nil {
		of = &holder{Holder: Holder{First: a.Time}, keys: map[string]bool{}}
		h[id] = of
	}
	of.Messages++
	of.First = min(of.First, a.Time)
	of.Most = max(of.Most, a.Exposed.Records, a.Exposed.Rows)
	if a.Time >= of.Last {
		of.By, of.Last, of.Example, of.Subject = *by, a.Time, a.DedupKey, a.Dimension+" "+a.Identity
	}
	if len(of.keys) < maxHeldKeys {
		of.keys[a.DedupKey] = true
	}
	of.Episodes = int64(len(of.keys))
}

// list returns all of them, those that held most back first.
func (h holders) list() []Holder {
	out := make([]Holder, 0, len(h))
	for _, of := range h {
		out = append(out, of.Holder)
	}
	slices.SortFunc(out, func(a, b Holder) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.By.Kind, b.By.Kind), cmp.Compare(a.By.Name, b.By.Name))
	})
	return out
}

// prune leaves out what is beyond MaxHolders.
func (h holders) prune() {
	if len(h) <= MaxHolders {
		return
	}
	ids := slices.SortedFunc(maps.Keys(h), func(a, b holderID) int {
		return cmp.Or(cmp.Compare(h[a].Last, h[b].Last), cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	})
	for _, id := range ids[:len(ids)-MaxHolders] {
		delete(h, id)
	}
}
