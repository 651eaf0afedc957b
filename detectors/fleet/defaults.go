package fleet

// The measures after the core are rare: most identities never delete, never
// read through a token that nobody issued. They are kept from their first count
// on, and what came before is known all the same: zeros.

// rare says how a measure after the core is judged.
type rare struct {
	Prior Prior
	Floor float64 // the least count a bin that is expected; fewer are not told apart
	Burst float64 // mean of a harmless burst
}

// Rares are the measures that are negative binomial around a level of their
// own. The priors are low: few are enough where none were before.
var Rares = [NumMeasures]rare{
	Destructive: {Prior{Mean: 0.05, Strength: 0.2, InverseK: 4}, 0.2, 4},
	Subjects:    {Prior{Mean: 2, Strength: 0.3, InverseK: 1}, 1, 4},
	Unissued:    {Prior{Mean: 0.05, Strength: 0.2, InverseK: 4}, 0.2, 4},
	OffHours:    {Prior{Mean: 0.2, Strength: 0.2, InverseK: 4}, 0.5, 8},
}

// What a newcomer has read since it was first seen is held against what the
// newcomers among its peers had read by the end of their first two days. A level
// says nothing of that yet, and a day's factor excuses any one day; but among
// hundreds of customers whose accounts are new and who look at an order or two,
// one who reads forty is like none of them.
//
// Logarithms of such totals are taken for normal, with a small chance of any
// size at all, as those of exports are (see rows.go): where few newcomers have
// been seen, or they differ by decades, little is strange. The statistic is the
// likelihood ratio of the total itself, an e-value, since the total only grows;
// it is set, not accumulated, and fades when the two days are over.
const (
	newcomersNeeded  = 20.0 // newcomers by which what is taken of those nobody has seen counts
	StrangeNewcomers = 1e-5 // chance of a total that is like nothing before
	newcomersSpread  = 4.0  // variance of the logs that is added where they follow from the peers' levels
	leastNewcomers   = 0.25 // least variance of the logs
	TellsNewcomers   = 1.0  // log-likelihood ratio from which a newcomer's is kept
)

// defaultNewcomers is what is taken of newcomers in a fleet of which nothing is
// known: about ten records, give or take a factor of fifty.
var defaultNewcomers = Prior{Mean: 10, Strength: 1, InverseK: 16}

// defaultRows is what exports of a fleet are taken to be before any is seen:
// of about a thousand rows, give or take a factor of four and a half.
var defaultRows = Prior{Mean: 1000, Strength: 1, InverseK: RowsAmong}

// RowsAmong is the least variance of the logs of rows among identities.
const RowsAmong = 2.25
