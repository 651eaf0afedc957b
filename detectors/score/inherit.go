package score

import "math"

// Inherit joins what was learned under a name with the state of the person whose it
// becomes, before either does anything in a bin. Levels add up: who reads ten records an
// hour under one name and twenty under another is expected to read thirty. Evidence does
// not: it goes on as that of whichever of the two has worked on more days.
func (e *Engine) Inherit(s, name *State, dim int, bin int64, p *Parameters) {
	if !name.Seen() {
		return
	}
	o := name.clone()
	if !s.Seen() {
		*s = o
		return
	}
	if o.days > s.days {
		o, *s = *s, o
	}
	for _, one := range []*State{s, &o} { // so that both have come to the same bin
		e.Close(one, dim, bin-1, &Counts{}, p, &Evidence{}, nil)
	}
	s.day = max(s.day, o.day)
	if s.usual != nil {
		s.usual.add(new(e.Usual(&o, dim, p)))
	}
	s.addMeans(&o)
	s.unions.add(&o.unions)
	s.first, s.last = min(s.first, o.first), max(s.last, o.last)
	s.lastWork = max(s.lastWork, o.lastWork)
	if all := joined(s.visits(), o.visits()); len(all) > 0 {
		s.lastWork = 0 // it follows from them
		s.keep(all)
	}
}

// addMeans adds the counts and the means of another state.
func (s *State) addMeans(o *State) {
	for m := range s.now {
		s.now[m] += o.now[m]
	}
	s.off, s.seen = s.off+o.off, s.seen+o.seen
	for h := range s.level {
		for m := range s.level[h] {
			s.level[h][m] += o.level[h][m]
		}
	}
	for m := range s.pace {
		s.pace[m] += o.pace[m]
	}
	s.bins = max(s.bins, o.bins)
	if o.more != nil {
		s.room().add(o.more)
	}
}

// add adds what is usual of one to what is usual of another.
func (x *extra) add(o *extra) {
	for i := range x.rare {
		a, b := &x.rare[i], &o.rare[i]
		switch {
		case !b.kept:
		case !a.kept:
			*a = *b
		default:
			for h := range a.level {
				a.level[h] += b.level[h]
			}
		}
	}
	x.pace += o.pace
	for i := range x.work {
		// In the coarser unit of the two.
		half := max(x.half, o.half)
		all := float64(x.work[i])/float64(uint64(1)<<(half-x.half)) + float64(o.work[i])/float64(uint64(1)<<(half-o.half))
		x.work[i] = uint16(math.Round(min(all, math.MaxUint16)))
		x.busy[i] = max(x.busy[i], o.busy[i])
	}
	x.half = max(x.half, o.half)
}

// add adds what is usual of another identity.
func (u *Usual) add(o *Usual) {
	bins, kinds := max(u.Bins, o.Bins), u.Kinds
	for i, v := range o.numbers() {
		*u.numbers()[i] += *v
	}
	u.Bins, u.Kinds = bins, kinds
}

// add takes in the days of another identity, and adds up what is known of both.
func (u *unions) add(o *unions) {
	for i := range u.mean {
		if u.mean[i] == 0 || o.mean[i] == 0 {
			u.mean[i] = 0
		} else {
			u.mean[i] += o.mean[i]
		}
	}
	day := max(u.day, o.day)
	u.worked = u.worked<<min(day-u.day, 32) | o.worked<<min(day-o.day, 32)
	u.day = day
}

// joined returns the bins of two identities, in order, and the counts of both.
func joined(a, b []visit) (out []visit) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].bin < b[0].bin:
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || b[0].bin < a[0].bin:
			out, b = append(out, b[0]), b[1:]
		default:
			v := a[0]
			for m, n := range b[0].c {
				v.c[m] += n
			}
			out, a, b = append(out, v), a[1:], b[1:]
		}
	}
	return out
}
