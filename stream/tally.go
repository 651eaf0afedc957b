package stream

func (p *Partial) Rare() bool {
	return !p.Rows.Empty() || !p.Destructive.Empty() || !p.Unissued.Empty() || !p.UnissuedTokens.Empty()
}
