package fleet

import "github.com/weirhq/weir/detectors/score"

// Config says what the fleet's budget is and how it is shared. Make it with
// NewConfig; a configuration may then set other shares.
type Config struct {
	Budget float64                    // opened statistical episodes a day, whole fleet
	Shares []float64                  // of each dimension; they add up to 1
	Groups [][score.NumGroups]float64 // of the groups of each dimension; those of one add up to 1
	PerDay float64                    // bins in a day
	Tuning Tuning
}

// NewConfig returns the configuration of the named dimensions: half of the budget
// for users, the rest evenly.
func NewConfig(budget float64, dims []string, perDay float64) Config {
	c := Config{Budget: budget, Shares: PeopleHalf(dims), PerDay: perDay, Tuning: DefaultTuning()}
	for _, d := range dims {
		if d == people {
			c.Groups = append(c.Groups, peopleGroups)
		} else {
			c.Groups = append(c.Groups, otherGroups)
		}
	}
	return c
}

// people is the name of the dimension whose identities are people.
const people = "user"

// How a dimension's budget is shared by the groups. What many come through, such as a
// network or a client, bursts with all of them: its bursts get little, and its nights
// what they leave.
var (
	peopleGroups = [score.NumGroups]float64{0.4, 0.2, 0.2, 0.05, 0.15}
	otherGroups  = [score.NumGroups]float64{0.4, 0.2, 0.05, 0.05, 0.3}
)

// PeopleHalf returns the default shares: half for users, the rest evenly.
func PeopleHalf(dims []string) []float64 {
	out := make([]float64, len(dims))
	others := 0.0
	users := false
	for _, d := range dims {
		if d == people {
			users = true
		} else {
			others++
		}
	}
	for i, d := range dims {
		switch {
		case !users:
			out[i] = 1 / others
		case d == people && others > 0:
			out[i] = 0.5
		case d == people:
			out[i] = 1
		default:
			out[i] = 0.5 / others
		}
	}
	return out
}
