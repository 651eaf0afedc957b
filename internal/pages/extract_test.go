package pages

import (
	"errors"
	"testing"
)

// A list that is whole but contradicts its alert is doubted; any other failure breaks
// it off.
func TestExtractDoubt(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		last  string
		err   error
		doubt string
		fails bool
	}{
		{`{"records":5,"estimate":{"within":true}}`, nil, "", false},
		{`{"records":5,"estimate":{"within":false},"error":"the alert estimated 9"}`, failed, "the alert estimated 9", false},
		{`{"records":5,"error":"kafka is away"}`, failed, "", true},
		{`weir: there is no alert of the episode`, failed, "", true},
		{``, failed, "", true},
	} {
		doubt, err := extractDoubt(c.last, c.err)
		if doubt != c.doubt || (err != nil) != c.fails {
			t.Errorf("%s, %v: %q, %v", c.last, c.err, doubt, err)
		}
	}
}
