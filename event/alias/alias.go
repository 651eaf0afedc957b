// Package alias makes one identity of the names that a person has in several
// sources: kim, kim@example.com and S-1-5-21-7 are one person, whose counts belong
// together. A [Table] says whose each name is. It is read from a file, or it follows a
// topic: then a [Register] writes there, and says of each alias from which event time
// on it counts, later than anything that was counted before. So every process resolves
// a name alike, in whatever order events and aliases come.
package alias

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weirhq/weir/event"
)

// Alias says that a name is a person's from Since on and before Until, Unix ms, and
// what is known of the person.
type Alias struct {
	Name    string
	Person  string // empty: the name is nobody's from Since on
	Since   int64
	Until   int64
	Counts  int64 // event time from which weir lets it count, Unix ms
	Profile Profile
	Line    int // of a file; 0: it has none
}

// Always and Forever are the Since and the Until of an alias that names none. What
// counts from Always on counted from the first event on.
const (
	Always  = math.MinInt64
	Forever = math.MaxInt64
)

// Profile is what is known of a person beside the names. Empty fields are not known.
type Profile struct {
	Manager     string
	Slack       string // the person's member id
	Criticality Criticality
	Group       string
}

// Criticality says how much harm a person's access can do.
type Criticality string

// The criticalities. The empty one is Normal.
const (
	Normal   Criticality = "normal"
	High     Criticality = "high"
	Critical Criticality = "critical"
)

// ParseCriticality reads a criticality by its name; the empty name is Normal's.
func ParseCriticality(name string) (Criticality, error) {
	switch c := Criticality(name); c {
	case "", Normal, High, Critical:
		return c, nil
	}
	return "", fmt.Errorf("criticality is %q, want normal, high or critical", name)
}

// Bounds of a table.
const (
	// MaxChain is how many aliases are followed one after the other: a name of a name.
	MaxChain = 4
	// MaxNames is how many names one person has at most, names of names among them.
	MaxNames = 32
	// MaxChanges is how many aliases of one name are kept. Further ones are refused.
	MaxChanges = 64
	// MaxAliases is how many aliases there are at most: five names each of 200,000 people.
	MaxAliases = 1_000_000
)

// shared are accounts that several people act by. They are nobody's.
var shared = map[string]bool{
	"root": true, "toor": true, "system": true, "local system": true, "localsystem": true, "administrator": true, "admin": true, "administrators": true,
	"guest": true, "anonymous": true, "anonymous logon": true, "nobody": true, "daemon": true, "bin": true, "everyone": true, "unknown": true, "-": true,
	"service": true, "localservice": true, "local service": true, "networkservice": true, "network service": true, "service account": true,
	"postgres": true, "sa": true, "sys": true, "dba": true, "oracle": true, "mysql": true, "krbtgt": true, "apache": true, "nginx": true, "tomcat": true,
	"www-data": true, "ec2-user": true, "ubuntu": true, "azureuser": true, "jenkins": true, "ansible": true, "terraform": true, "backup": true, "cron": true,
	"s-1-1-0": true, "s-1-5-7": true, "s-1-5-18": true, "s-1-5-19": true, "s-1-5-20": true,
}

// services are how names of accounts begin or end that programs act by.
var services = struct{ begin, end []string }{
	begin: []string{"svc-", "svc_", "svc.", "service-", "service_", "system:", "nt authority", "nt service"},
	end:   []string{"-svc", "_svc", ".gserviceaccount.com", ":root"},
}

// several reports whether a folded name is, as it stands, one that several people or
// programs act by.
func several(name string) bool {
	return shared[name] ||
		slices.ContainsFunc(services.begin, func(s string) bool { return strings.HasPrefix(name, s) }) ||
		slices.ContainsFunc(services.end, func(s string) bool { return strings.HasSuffix(name, s) })
}

// Shared reports whether a name is one that several people or programs act by, with or
// without the domain that it is of. The well-known relative ids of Windows' built-in
// accounts (500 to 503) are such names, in whatever domain.
func Shared(name string) bool {
	name = fold(name)
	if several(name) {
		return true
	}
	if i := strings.LastIndexByte(name, '-'); strings.HasPrefix(name, "s-1-5-21-") && slices.Contains([]string{"500", "501", "502", "503"}, name[i+1:]) {
		return true
	}
	if i := strings.LastIndexAny(name, `\/`); i >= 0 {
		name = name[i+1:]
	}
	name, _, _ = strings.Cut(name, "@")
	computer := strings.HasSuffix(name, "$")
	return computer || several(name)
}

// Fold returns a name as names are compared: without regard to case.
func Fold(name string) string { return fold(name) }

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// from returns the event time from which on an alias holds, Unix ms.
func (a *Alias) from() int64 { return max(a.Since, a.Counts) }

// holds reports whether an alias holds at an event time.
func (a *Alias) holds(at int64) bool { return at >= a.from() && at < a.Until }

// links reports whether an alias joins two names, and does more than to tell of a person.
func (a *Alias) links() bool { return fold(a.Name) != fold(a.Person) }

// same reports whether two aliases say the same, whenever they count.
func (a *Alias) same(b *Alias) bool {
	return fold(a.Name) == fold(b.Name) && a.Person == b.Person && a.Since == b.Since && a.Until == b.Until && a.Profile == b.Profile
}

// check returns what is wrong with an alias by itself.
func (a *Alias) check() error {
	switch {
	case a.Name == "":
		return errors.New("name and person must both be given")
	case Shared(a.Name) || Shared(a.Person):
		return fmt.Errorf("several people or programs act by %s or %s, so it is no name of one; leave the line out", a.Name, a.Person)
	case a.Since >= a.Until:
		return errors.New("until is not after since")
	}
	for _, text := range []string{a.Name, a.Person, a.Profile.Manager, a.Profile.Slack, a.Profile.Group} {
		if len(text) > event.MaxText {
			return fmt.Errorf("names are at most %d bytes long", event.MaxText)
		}
	}
	_, err := ParseCriticality(string(a.Profile.Criticality))
	return err
}
