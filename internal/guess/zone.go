package guess

import (
	"fmt"
	"regexp"
)

// regions are places whose zone has an abbreviation, in winter or in summer. Of several
// zones with one abbreviation the one with most people is named, and asked for.
var regions = map[string]string{
	"KST": "Asia/Seoul", "JST": "Asia/Tokyo", "HKT": "Asia/Hong_Kong", "IST": "Asia/Kolkata", "WIB": "Asia/Jakarta",
	"CET": "Europe/Berlin", "CEST": "Europe/Berlin", "EET": "Europe/Helsinki", "EEST": "Europe/Helsinki",
	"WET": "Europe/Lisbon", "WEST": "Europe/Lisbon", "BST": "Europe/London", "MSK": "Europe/Moscow",
	"EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago",
	"MST": "America/Denver", "MDT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
	"AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland", "NZDT": "Pacific/Auckland",
	"SAST": "Africa/Johannesburg",
}

// abbreviated is a time of the day with the abbreviation of its zone.
var abbreviated = regexp.MustCompile(`\d:\d\d(?:[.,]\d+)?(?: [AP]M)? ([A-Z]{3,4})\b`)

// zoneLine returns the line of a field map for times that do not tell their offset, by the
// first abbreviation of a zone in the sample; placed is false if there is none.
func zoneLine(sample []byte) (line string, placed bool) {
	for _, m := range abbreviated.FindAllSubmatch(sample, maxValues) {
		if region := regions[string(m[1])]; region != "" {
			return fmt.Sprintf("zone: %s  # the times are in %s: which zone is it?\n", region, m[1]), true
		}
	}
	return "zone: UTC  # the times have no zone: which is it?\n", false
}
