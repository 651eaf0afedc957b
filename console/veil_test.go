package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/weirhq/weir/console/access"
)

// Who may not see names finds none on any page, in no answer and by no search; who may
// sees those of whom people were sent a message. Pseudonyms lead on as names do.
func TestNames(t *testing.T) {
	for _, c := range []struct{ role, least access.Role }{
		{access.Viewer, access.Analyst}, {access.Analyst, access.Admin}, {access.Analyst, access.Analyst}, {access.Admin, access.Analyst},
	} {
		b := newBench(t, 16, c.role)
		real := b.Feed.current.Load()
		b.Names = Names{For: c.least, Personal: []string{"user"}, Secret: []byte("secret")}
		hidden, beside := map[string]bool{}, []string{}
		for _, e := range real.Episodes() {
			if e.Alert.Dimension == "user" {
				hidden[e.Alert.Identity] = c.role < c.least || !e.WasSent()
				if hidden[e.Alert.Identity] { // what is known of the person says who it is
					manager, name := e.Alert.Person.Manager, e.Alert.Top.Names[0].Value
					beside = append(beside, "reports to "+manager+"<", `"`+manager+`"`, "Manager: "+manager, ">"+name+"<", `"`+name+`"`)
				}
			}
			if m := e.Alert.Members; m != nil && c.role < c.least {
				for _, member := range m.Named() {
					hidden[">"+member.Identity+"<"] = member.Dimension == "user"
				}
			}
		}
		shown := b.veiled(real, access.Person{Role: c.role})
		paths := []string{"/", "/?state=all&limit=1000", "/identities", "/expected", "/report", "/api/v1/episodes?state=all&limit=1000", "/api/v1/identities", "/api/v1/expected", "/api/v1/report"}
		for _, e := range shown.Episodes() {
			paths = append(paths, "/episodes/"+e.Key(), "/api/v1/episodes/"+e.Key(), "/identity?"+url.Values{"dimension": {e.Alert.Dimension}, "name": {e.Alert.Identity}}.Encode())
		}
		pseudonyms := 0
		for _, path := range paths {
			w := b.get(path)
			if w.Code != http.StatusOK {
				t.Errorf("%s: %s: %d", c.role, path, w.Code)
			}
			body := w.Body.String()
			pseudonyms += strings.Count(body, "person-")
			for _, text := range beside {
				if strings.Contains(body, text) {
					t.Errorf("%s, where names are for %s: %s holds %q", c.role, c.least, path, text)
				}
			}
			for name, isHidden := range hidden {
				if isHidden && strings.Contains(body, name) {
					t.Errorf("%s, where names are for %s: %s holds %q", c.role, c.least, path, name)
				}
			}
		}
		if pseudonyms == 0 {
			t.Errorf("%s, where names are for %s: there is no pseudonym", c.role, c.least)
		}
		for name, isHidden := range hidden {
			if strings.HasPrefix(name, ">") {
				continue
			}
			want := 200
			if isHidden {
				want = 404
			}
			if w := b.get("/identity?" + url.Values{"dimension": {"user"}, "name": {name}}.Encode()); w.Code != want {
				t.Errorf("%s asks for %s: %d, want %d", c.role, name, w.Code, want)
			}
			var found IdentitiesView
			decode(t, b.get("/api/v1/identities?"+url.Values{"q": {name}}.Encode()), &found)
			if (found.Total == 0) != isHidden {
				t.Errorf("%s searches for %s and finds %d", c.role, name, found.Total)
			}
		}
		for name, isHidden := range hidden {
			if len(name) > 0 && name[0] != '>' && !isHidden && c.role >= c.least {
				if !strings.Contains(b.get("/?state=all&limit=1000").Body.String(), name) {
					t.Errorf("%s does not see %s", c.role, name)
				}
			}
		}
	}
}
