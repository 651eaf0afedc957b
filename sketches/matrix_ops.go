package sketches

// merge marks every cell of o; o is left as it was. The precisions are equal.
func (m *matrix) merge(o *matrix) {
	m.recent = nil
	m.oldest = min(m.oldest, o.oldest)
	m.widenTo(o.dense)
	m.mergeColumns(o)
	sparse := o.sparse.entries(make([]Entry, 0, o.sparse.len()))
	edge := search(sparse, uint64(m.dense+1)<<m.p)
	for _, e := range sparse[:edge] {
		m.putCell(e)
	}
	m.mergeSparse(sparse[edge:])
}

// mergeColumns takes the later of each cell of o's columns.
func (m *matrix) mergeColumns(o *matrix) {
	if lo, hi, any := o.columnRange(); !any {
		return
	} else {
		m.cover(lo, hi)
	}
	switch {
	case m.wide == nil && o.wide == nil && m.base == o.base:
		dst := m.narrow[:len(o.narrow)]
		for i, w := range o.narrow {
			dst[i] = max(dst[i], w)
		}
	case m.wide == nil && o.wide == nil:
		shift := uint16(o.base - m.base)
		dst := m.narrow[:len(o.narrow)]
		for i, w := range o.narrow {
			if w != 0 {
				dst[i] = max(dst[i], w+shift)
			}
		}
	default:
		o.eachColumnCell(func(reg, rank, minute uint32) { m.put(reg, rank, minute) })
	}
}

// eachColumnCell calls f for each cell of the columns.
func (m *matrix) eachColumnCell(f func(reg, rank, minute uint32)) {
	mask := 1<<m.p - 1
	for i, w := range m.narrow {
		if w != 0 {
			f(uint32(i&mask), uint32(i>>m.p)+1, m.base+uint32(w))
		}
	}
	for i, w := range m.wide {
		if w != 0 {
			f(uint32(i&mask), uint32(i>>m.p)+1, w)
		}
	}
}

// eachCell calls f for each cell, in order of rank and register.
func (m *matrix) eachCell(f func(reg, rank, minute uint32)) {
	m.eachColumnCell(f)
	for i := range m.sparse.len() {
		e := m.sparse.at(i)
		f(uint32(e.key())&(1<<m.p-1), uint32(e.key()>>m.p), e.minute())
	}
}

// at returns the minute of a cell, 0 if it was never hit.
func (m *matrix) at(reg, rank uint32) uint32 {
	if rank > uint32(m.dense) {
		key := uint64(rank<<m.p | reg)
		if i := m.sparse.search(key); i < m.sparse.len() && m.sparse.at(i).key() == key {
			return m.sparse.at(i).minute()
		}
		return 0
	}
	i := (rank-1)<<m.p | reg
	if m.wide != nil {
		return m.wide[i]
	}
	if w := m.narrow[i]; w != 0 {
		return m.base + uint32(w)
	}
	return 0
}

// folded returns the matrix at the coarser precision q: what it would be, cell
// by cell, had all records been inserted at q.
func (m *matrix) folded(q uint8) *matrix {
	out := newMatrix(q)
	out.oldest = m.oldest
	// Rank r of a register at p is as full as rank r+p-q at q.
	if m.dense > 0 {
		out.widenTo(m.dense + m.p - q)
	}
	if lo, hi, any := m.columnRange(); any {
		out.cover(lo, hi)
	}
	f := feed{m: out}
	m.eachCell(func(reg, rank, minute uint32) {
		reg, rank = foldCell(reg, rank, m.p, q)
		f.put(reg, rank, minute)
	})
	f.flush()
	return out
}

func (m *matrix) clone() *matrix {
	c := *m
	c.recent = nil
	c.narrow = append([]uint16(nil), m.narrow...)
	c.wide = append([]uint32(nil), m.wide...)
	c.sparse = append(cells(nil), m.sparse...)
	return &c
}

// expire forgets cells older than before and gives back memory. It reports
// whether any cell is left.
func (m *matrix) expire(before uint32) bool {
	if before <= m.oldest {
		return true
	}
	m.recent = nil
	if m.wide != nil {
		for i, w := range m.wide {
			if w < before {
				m.wide[i] = 0
			}
		}
		m.narrowAgain()
	} else if before > m.base {
		edge := min(before-m.base, narrowSpan+1)
		for i, w := range m.narrow {
			if uint32(w) < edge {
				m.narrow[i] = 0
			}
		}
	}
	m.sparse = m.sparse.expire(before)
	m.demote()
	m.sparse = m.sparse.shrunk()
	return m.refreshOldest()
}

// demote turns the last columns back to sparse cells while they hold less than
// half of what made them columns.
func (m *matrix) demote() {
	size := 1 << m.p
	for m.dense > 0 {
		first := int(m.dense-1) << m.p
		live := m.columnLive(int(m.dense))
		if live >= size/8 {
			return
		}
		if live > 0 {
			last := make(cells, 0, cellWords*live+len(m.sparse))
			for reg := range uint32(size) {
				if minute := m.at(reg, uint32(m.dense)); minute != 0 {
					last = append(last, 0, 0, 0)
					last.set(last.len()-1, pack(uint64(m.dense)<<m.p|uint64(reg), minute))
				}
			}
			m.sparse = append(last, m.sparse...)
		}
		if m.wide != nil {
			m.wide = append([]uint32(nil), m.wide[:first]...)
		} else {
			m.narrow = append([]uint16(nil), m.narrow[:first]...)
		}
		m.dense--
	}
	m.wide, m.narrow, m.base = nil, nil, 0
}

// columnLive counts the cells of a column that were ever hit.
func (m *matrix) columnLive(rank int) int {
	n, first := 0, (rank-1)<<m.p
	if m.wide != nil {
		for _, w := range m.wide[first : first+1<<m.p] {
			if w != 0 {
				n++
			}
		}
		return n
	}
	for _, w := range m.narrow[first : first+1<<m.p] {
		if w != 0 {
			n++
		}
	}
	return n
}

// refreshOldest finds the oldest minute anew and reports whether there is one.
func (m *matrix) refreshOldest() bool {
	lo, _, any := m.columnRange()
	for i := range m.sparse.len() {
		lo, any = min(lo, m.sparse.at(i).minute()), true
	}
	m.oldest = lo
	return any
}

// sparseRank returns the cells of a rank that has no column.
func (m *matrix) sparseRank(rank int) cells {
	return m.sparse.slice(m.sparse.search(uint64(rank)<<m.p), m.sparse.search(uint64(rank+1)<<m.p))
}
