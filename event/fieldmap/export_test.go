package fieldmap

// Kinds returns the names of the maps of a format.
func (f *Format) Kinds() []string {
	var names []string
	for i := range f.maps {
		names = append(names, f.maps[i].name)
	}
	return names
}

// Kind returns the name of the map that made the event at hand, or left it out; "" for
// none.
func (d *Decoder) Kind() string {
	if m := d.choose(); m != nil {
		return m.name
	}
	return ""
}
