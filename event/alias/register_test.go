package alias

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/eventtime"
)

// at is an event time of hours and minutes on the first of March 2026, Unix ms.
func at(h, m int) int64 { return time.Date(2026, 3, 1, h, m, 0, 0, time.UTC).UnixMilli() }

func newRegister(t *testing.T) *Register {
	t.Helper()
	grid, err := eventtime.NewGrid(5*time.Minute, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return NewRegister(grid)
}

func is(name, person string) Alias {
	return Alias{Name: name, Person: person, Since: Always, Until: Forever}
}

// write hands what a register has to write to a table that follows it and to another
// register that restores.
func write(t *testing.T, r *Register, table *Table, restored *Register) {
	t.Helper()
	for _, rec := range r.Take() {
		if err := errors.Join(table.Follow(rec.Key, rec.Value), restored.Load(rec.Key, rec.Value)); err != nil {
			t.Fatal(err)
		}
	}
}

// An alias counts from the first bin of which no event can have been counted; what comes
// before anything was counted counts always. What a table says of the past never changes,
// and a register that restores says the same.
func TestRegisterStampsOnce(t *testing.T) {
	r, table, restored := newRegister(t), NewTable(Always), newRegister(t)
	for _, a := range []Alias{is("kim@example.com", "kim"), is("kim@example.com", "kim")} {
		if _, err := r.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	write(t, r, table, restored)
	if got := table.Person("KIM@example.com", at(0, 0)); got != "kim" || table.Complete() != Always {
		t.Fatalf("the first alias does not count: %s, complete up to %d", got, table.Complete())
	}
	r.Grant(at(9, 20))
	r.Grant(at(8, 0)) // never back
	if changed, err := r.TakeRecord("hr", 0, 7, nil, []byte(`{"name":"S-1-5-21-7","person":"kim","manager":"bo"}`)); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if changed, _ := r.TakeRecord("hr", 0, 7, nil, []byte(`{"name":"S-1-5-21-8","person":"kim"}`)); changed {
		t.Error("a record of an offset that was read counts again")
	}
	if changed, _ := r.Add(is("S-1-5-21-7", "kim")); !changed {
		t.Error("an alias without the manager is no other")
	}
	write(t, r, table, restored)
	if changed, err := r.TakeRecord("hr", 0, 8, []byte("kim@EXAMPLE.com"), nil); err != nil || !changed {
		t.Fatal(changed, err)
	}
	r.Grant(at(12, 0))
	write(t, r, table, restored)
	for _, c := range []struct {
		name, want string
		at         int64
	}{
		{"S-1-5-21-7", "S-1-5-21-7", at(9, 59)},
		{"S-1-5-21-7", "kim", at(10, 0)},
		{"kim@example.com", "kim", at(9, 59)},
		{"kim@example.com", "kim@example.com", at(10, 0)},
	} {
		for who, of := range map[string]*Table{"the register": r.table, "a follower": table, "a restored register": restored.table} {
			if got := of.Person(c.name, c.at); got != c.want {
				t.Errorf("%s: %s at %s is %s, want %s", who, c.name, time.UnixMilli(c.at).UTC(), got, c.want)
			}
		}
	}
	if restored.Input("hr", 0) != 9 || restored.Granted() != at(12, 0) || len(restored.Take()) != 0 {
		t.Errorf("restored at %d, granted %d", restored.Input("hr", 0), restored.Granted())
	}
	if p := table.Profile("KIM", at(10, 0)); p.Manager != "bo" {
		t.Errorf("the profile is %+v", p)
	}
	if p := table.Profile("kim", at(9, 0)); p != (Profile{}) {
		t.Errorf("the profile was %+v before it counted", p)
	}
}

// A file says all: a name that it leaves out is nobody's, one that it says again is no
// news, and what cannot be is refused beside what can.
func TestRegisterTakesFiles(t *testing.T) {
	r := newRegister(t)
	read := func(text string) (changed int, refused []error) {
		list, err := Read(strings.NewReader("name,person,since,until\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		return r.TakeFile(list)
	}
	const two = "a,kim,,2026-03-01\na,ben,2026-03-01,\nb,kim,,\n"
	for i, want := range []int{3, 0} {
		if changed, refused := read(two); changed != want || refused != nil {
			t.Errorf("reading %d: %d changed, %v", i, changed, refused)
		}
	}
	r.Grant(at(5, 0))
	if changed, refused := read("b,kim,,\n"); changed != 1 || refused != nil {
		t.Errorf("%d changed, %v", changed, refused)
	}
	if got := r.table.Person("a", at(6, 0)); got != "a" {
		t.Errorf("a name that left the file is %s", got)
	}
	if got := r.table.Person("a", at(4, 0)); got != "ben" {
		t.Errorf("a name that left the file was %s", got)
	}
	if changed, refused := read("kim,a,,\nc,kim,,\n"); changed != 2 || len(refused) != 1 {
		t.Errorf("%d changed, %v", changed, refused)
	}
}
