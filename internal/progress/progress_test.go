package progress

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A line of several passes says which is under way and how long all still take, by
// how long the others took; a line of one says neither.
func TestPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		show := func(l *Line, want string) {
			t.Helper()
			out.Reset()
			l.next = time.Time{}
			if l.Show("%d events", 7); out.String() != "\r\x1b[K"+want {
				t.Errorf("the line is %q, want %q", out.String(), want)
			}
		}
		l := &Line{out: &out}
		show(l, "7 events")
		l.Expect(4)
		show(l, "7 events")
		l.Pass()
		show(l, "pass 1 of 4: 7 events")
		time.Sleep(10 * time.Second)
		l.Pass()
		time.Sleep(4 * time.Second)
		show(l, "pass 2 of 4, about 26s left: 7 events")
		time.Sleep(10 * time.Second)
		l.Pass()
		show(l, "pass 3 of 4, about 24s left: 7 events")
		l.Pass()
		time.Sleep(time.Minute) // longer than the others
		show(l, "pass 4 of 4, about 0s left: 7 events")
	})
}

// A program gets a line of JSON a second.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		l := NewLines(&out)
		l.Expect(3)
		l.Pass()
		l.Show("%d events", 7)
		l.Show("%d events", 8)
		time.Sleep(10 * time.Second)
		l.Pass()
		l.Show("%d events", 9)
		l.Clear()
		want := `{"pass":1,"passes":3,"left":-1,"doing":"7 events"}` + "\n" + `{"pass":2,"passes":3,"left":20,"doing":"9 events"}` + "\n"
		if out.String() != want {
			t.Errorf("%s, want %s", out.String(), want)
		}
	})
}
