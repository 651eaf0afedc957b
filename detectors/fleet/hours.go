package fleet

// Calm is the common mode of an ordinary bin.
var Calm = [NumCore]float64{1, 1}

// Cells is the number of cells of an identity's own hours: 24 of a working
// day, 24 of a weekend day.
const Cells = 48

// Cell returns the cell of an hour of the week.
func Cell(hour int) int {
	if hour >= 5*24 {
		return 24 + hour%24
	}
	return hour % 24
}
