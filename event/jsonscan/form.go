package jsonscan

// Form makes another text of a text; false if it cannot. It appends to dst.
type Form func(dst []byte, text string) ([]byte, bool)
