package simulate

import (
	"strconv"
)

// accountWidth is the length of "u" and the nine digits of a customer number.
const accountWidth = 10

// customers names every customer: the record id is a nine-digit number, the
// account of the customer's own logins is "u" and that number.
type customers struct {
	n        int64
	text     string // all accounts, end to end
	shuffled int64  // odd step that takes popularity ranks apart
}

func newCustomers(n int) customers {
	b := make([]byte, 0, n*accountWidth)
	for i := range n {
		b = strconv.AppendInt(append(b, 'u'), int64(100_000_000+i), 10)
	}
	return customers{n: int64(n), text: string(b), shuffled: coprime(int64(n))}
}

// coprime returns a step through 0..n-1 that meets every number once.
func coprime(n int64) int64 {
	step := n*618/1000 | 1
	for gcd(step, n) != 1 {
		step += 2
	}
	return step
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (c *customers) account(i int32) string {
	return c.text[int(i)*accountWidth : int(i+1)*accountWidth]
}

func (c *customers) record(i int32) string {
	return c.text[int(i)*accountWidth+1 : int(i+1)*accountWidth]
}

// popular draws a customer, some far more often than others.
func (c *customers) popular(d *dice) int32 { return c.ranked(d.skewed(c.n)) }

// any draws a customer, all alike.
func (c *customers) any(d *dice) int32 { return int32(d.below(c.n)) }

// ranked returns the customer of a rank.
func (c *customers) ranked(rank int64) int32 { return int32(rank % c.n * c.shuffled % c.n) }

// Endpoints by index.
const (
	epNone = iota
	epLogin
	epToken
	epCRMCustomer
	epCRMSearch
	epCRMContact
	epStatement
	epCase
	epErase
	epQuery
	epExport
	epDebug
	epProfile
	epOrders
	epInvoice
	epInternal
	epInternalAddress
	epSync
	epReport
)

// endpoint is a path, with the customer's number in it if id is set.
type endpoint struct {
	before string
	id     bool
	after  string
}

var endpoints = [...]endpoint{
	epNone:            {},
	epLogin:           {before: "POST /login"},
	epToken:           {before: "POST /oauth/token"},
	epCRMCustomer:     {before: "GET /crm/customers/", id: true},
	epCRMSearch:       {before: "GET /crm/search"},
	epCRMContact:      {before: "PUT /crm/customers/", id: true, after: "/contact"},
	epStatement:       {before: "GET /crm/accounts/", id: true, after: "/statement"},
	epCase:            {before: "GET /backoffice/cases/", id: true},
	epErase:           {before: "DELETE /backoffice/customers/", id: true},
	epQuery:           {before: "POST /bi/query"},
	epExport:          {before: "POST /bi/export"},
	epDebug:           {before: "GET /debug/customers/", id: true},
	epProfile:         {before: "GET /v1/customers/", id: true, after: "/profile"},
	epOrders:          {before: "GET /v1/customers/", id: true, after: "/orders"},
	epInvoice:         {before: "GET /v1/orders/", id: true, after: "/invoice"},
	epInternal:        {before: "GET /internal/customers/", id: true},
	epInternalAddress: {before: "GET /internal/customers/", id: true, after: "/address"},
	epSync:            {before: "GET /internal/customers"},
	epReport:          {before: "POST /internal/reports"},
}

// pattern returns the path as an identity: with {id} for the number.
func (e endpoint) pattern() string {
	if e.id {
		return e.before + "{id}" + e.after
	}
	return e.before
}

// Client families by index; a family has one name a version.
const (
	clNone = iota
	clCRM
	clBI
	clWeb
	clIOS
	clAndroid
	clAdmin
	clServices // the first of the services' families
)

// families are the names and first versions of the people's applications.
var families = [clServices]struct {
	name         string
	major, minor int
}{
	clCRM:     {"crm-web", 4, 12},
	clBI:      {"bi-desktop", 2, 3},
	clWeb:     {"shop-web", 26, 1},
	clIOS:     {"shop-ios", 9, 2},
	clAndroid: {"shop-android", 9, 4},
	clAdmin:   {"admin-cli", 1, 7},
}

// maxVersions is the stride of client numbers; a run sees fewer releases.
const maxVersions = 256

// client returns the number of a family's version.
func client(family, version int) int16 {
	return int16(family*maxVersions + min(version, maxVersions-1))
}

// clientNames returns the names of all client numbers. Version -1 of the run,
// from before it, is not among them: everyone starts with version 0.
func clientNames(versions int) []string {
	names := make([]string, (clServices+len(serviceKinds))*maxVersions)
	for v := range min(versions, maxVersions) {
		for f := clCRM; f < clServices; f++ {
			fam := &families[f]
			names[client(f, v)] = fam.name + "/" + strconv.Itoa(fam.major) + "." + strconv.Itoa(fam.minor+v) + ".0"
		}
		for i := range serviceKinds {
			names[client(clServices+i, v)] = serviceKinds[i].name + "/1." + strconv.Itoa(30+i+v) + ".0"
		}
	}
	return names
}
