package timeform

import (
	"testing"
	"time"
)

const (
	from2000 = 946_684_800_000
	to2100   = 4_102_444_800_000
)

// berlin and seoul are the zones of these tests.
func load(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestGuess: what logs write, without a name for its form. All are the same instant,
// cut to what is written of it.
func TestGuess(t *testing.T) {
	const s, ms = "2026-03-02T09:15:27Z", "2026-03-02T09:15:27.123Z"
	for in, want := range map[string]string{
		"2026-03-02T09:15:27.123456789Z":            ms,
		"2026-03-02T10:15:27.123+0100":              ms,
		"2026-03-02T10:15:27.123+01":                ms,
		"2026-03-02 09:15:27.123-00":                ms,
		"2026-03-02 09:15:27 UTC":                   s,
		"2026-03-02 09:15:27.123 GMT":               ms,
		"2026-03-02 09:15:27,123Z":                  ms,
		"2026-03-02 18:15:27 UTC+9":                 s,
		"2026-03-02 18:15:27 GMT+09:00":             s,
		"2026/03/02 09:15:27Z":                      s,
		"2026-03-02 09.15.27 UTC":                   s,
		"02/Mar/2026 09:15:27 +0000":                s,
		"Mar 2, 2026 @ 09:15:27.123 UTC":            ms,
		"2026-03-02T09:15Z":                         "2026-03-02T09:15:00Z",
		"20260302T091527Z":                          s,
		"20260302T091527.123Z":                      ms,
		"20260302091527Z":                           s,
		"2026-03-02T18:15:27.123+09:00[Asia/Seoul]": ms,
		"2026-03-02 18:15:27.123 +0900 KST":         ms,
		"02/Mar/2026:10:15:27 +0100":                s,
		"[02/Mar/2026:10:15:27 +0100]":              s,
		"02/Mar/2026:10:15:27.123 +0100":            ms,
		"Mon, 02 Mar 2026 09:15:27 GMT":             s,
		"Mon, 2 Mar 2026 10:15:27 +0100":            s,
		"02 Mar 2026 10:15:27 +0100":                s,
		"Monday, 02-Mar-26 09:15:27 GMT":            s,
		"Mon Mar  2 09:15:27 UTC 2026":              s,
		"Mon Mar 02 10:15:27 +0100 2026":            s,
		"1772442927":                                s,
		"1772442927.123":                            ms,
		"1772442927123":                             ms,
		"1772442927123456":                          ms,
		"1772442927123456789":                       ms,
		"1.772442927123e9":                          ms,
		"1.772442927123E12":                         ms,
		"@1772442927":                               s,
		"@1772442927.123":                           ms,
		"2026-061T09:15:27Z":                        s,
		"2026061T091527.123Z":                       ms,
		"2026-061T10:15:27+01:00":                   s,
		"Mon, 2 Mar 2026 09:15:27 +0000 (UTC)":      s,
		"Mar 2, 2026 9:15:27 AM UTC":                s,
		"Mar 2, 2026, 9:15:27\u202fAM Z":            s,
		"March 2, 2026 at 10:15:27 AM +0100":        s,
		"Mon Mar  2 09:15:27 AM UTC 2026":           s,
		"2026-03-02 09:15:27.123 AM +00:00":         ms,
		"2026-03-02-09.15.27.123000 UTC":            ms,
		"/Date(1772442927123)/":                     ms,
		"/Date(1772442927123+0100)/":                ms,
		" 1772442927 ":                              s,
		"2026-3-2T9:15:27Z":                         s,
		"2026-03-01T24:00:00Z":                      "2026-03-02T00:00:00Z",
		"02-MAR-26 09.15.27.123456 AM UTC":          ms,
		"2026-03-02 10:15:27.123 +0100 CET m=+0.01": ms,
		"Mon Mar 02 2026 10:15:27 GMT+0100 (Central European Standard Time)": s,
		"1772442927,123":                                        ms,
		"2026-W10-1T09:15:27Z":                                  s,
		"2026W101T091527.123Z":                                  ms,
		"2026-W10-1 10:15:27+01:00":                             s,
		"2025-W01-1T09:15:27Z":                                  "2024-12-30T09:15:27Z",
		"2020-W53-7T09:15:27Z":                                  "2021-01-03T09:15:27Z",
		"0x69A5552F":                                            s,
		"0x19cadd4c013":                                         ms,
		"2026-03-02T10:15:27[Europe/Berlin]":                    s,
		"2026-07-02T11:15:27.123[Europe/Berlin]":                "2026-07-02T09:15:27.123Z",
		"2026-03-02 18:15:27 Asia/Seoul":                        s,
		"2026-03-02 18:15:27.123 [Asia/Seoul]":                  ms,
		"2026-03-02T18:15:27 KST[Asia/Seoul]":                   s,
		"2026-03-02 06:15:27 America/Argentina/Buenos_Aires":    s,
		"2026-03-02T18:15:27+09:00[!Asia/Seoul][u-ca=japanese]": s,
		"2026-03-02T18:15:27[Asia/Seoul][u-ca=japanese]":        s,
		"Mon Mar  2 18:15:27 Asia/Seoul 2026":                   s,
		"69a5552f":                                              s,
		"69A5552F":                                              s,
		"2026-03-02T09:15:27.123+0000 (UTC)":                    ms,
		"Monday, March 2, 2026 9:15:27 AM UTC":                  s,
		"2026년 03월 02일 18:15:27 +0900":                          s,
		"2026年3月2日 18時15分27秒 Asia/Seoul":                        s,
		"2026. 3. 2. 오후 6:15:27 Asia/Seoul":                     s,
		"2026-03-02 오전 9:15:27.123 Z":                           ms,
		"2026/3/2 下午 6:15:27 +09:00":                            s,
		"2026. 3. 2. 오전 12:15:27 Z":                             "2026-03-02T00:15:27Z",
		"2026. 3. 2. 오후 13:15:27 Z":                             "unreadable",
		"2026년 3월 2일 오전 9:15":                                   "no zone",
		"20260302":                                              "unreadable",
		"facade00":                                              "unreadable",
		"69a5552":                                               "unreadable",
		"2026-03-02T09:15:27.123+0000 (UTC":                     "unreadable",
		"2026-W10-8T09:15:27Z":                                  "unreadable",
		"2026-W54-1T09:15:27Z":                                  "unreadable",
		"2025-W53-1T09:15:27Z":                                  "unreadable", // no long year
		"2026-W1-1T09:15:27Z":                                   "unreadable",
		"2026-W10-1":                                            "unreadable",
		"0x":                                                    "unreadable",
		"0x69A5562G":                                            "unreadable",
		"0x7fffffffffffffff":                                    "unreadable",
		"2026-03-02T10:15:27[Berlin]":                           "unreadable",
		"2026-03-02 10:15:27 Asia/Nowhere":                      "unreadable",
		"2026-03-02T10:15:27[Asia/Seoul":                        "unreadable",
		"2026-03-02T10:15:27[../Seoul]":                         "unreadable",
		"2026-03-02T10:15:27 CET[Asia/Seoul]":                   "no zone", // they do not agree
		"2026-03-02T24:00:01Z":                                  "unreadable",
		"1,772,442,927":                                         "unreadable",
		"02-MAR-26 09.15.27.123456 AM":                          "no zone",
		"2026-03-02 09:15:27":                                   "no zone",
		"2026-03-02T09:15:27.123":                               "no zone",
		"20260302091527":                                        "no zone",
		"Mon Mar  2 09:15:27 2026":                              "no zone",
		"2026-03-02 18:15:27 KST":                               "no zone",
		"02/Mar/2026:10:15:27":                                  "no zone",
		"Mar 2, 2026 9:15:27 AM":                                "no zone",
		"2026-03-02-09.15.27.123456":                            "no zone",
		"2026-061T09:15:27":                                     "no zone",
		"2026-366T09:15:27Z":                                    "unreadable", // no leap year
		"2026-000T09:15:27Z":                                    "unreadable",
		"2026-03-02 13:15:27 PM Z":                              "unreadable",
		"2026-03-02 00:15:27 AM Z":                              "unreadable",
		"@":                                                     "unreadable",
		"@@1772442927":                                          "unreadable",
		"03/02/2026 09:15:27":                                   "unreadable", // which is the month?
		"02.03.2026 09:15:27":                                   "unreadable",
		"Mar  2 09:15:27":                                       "no year",
		"2026-03-02":                                            "unreadable",
		"2026-02-30T09:15:27Z":                                  "unreadable",
		"2026-03-02T24:15:27Z":                                  "unreadable",
		"2026-03/02 09:15:27Z":                                  "unreadable",
		"2026-03-02T09:15:27Z and more":                         "unreadable",
		"2026-03-02T09:15:27.Z":                                 "unreadable",
		"1772442927.":                                           "unreadable",
		"9":                                                     "unreadable",
		"":                                                      "unreadable",
		"now":                                                   "unreadable",
		"1e999999999":                                           "unreadable",
		"-1772442927":                                           "unreadable",
	} {
		if got := text(Guess(in, Beside{}, from2000, to2100)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// text returns an outcome as a time to be read.
func text(ms int64, outcome Outcome) string {
	switch outcome {
	case Unreadable:
		return "unreadable"
	case NoZone:
		return "no zone"
	case NoYear:
		return "no year"
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z07:00")
}

// TestZone: a zone that is given explains what has none, and nothing else.
func TestZone(t *testing.T) {
	seoul, berlin := load(t, "Asia/Seoul"), load(t, "Europe/Berlin")
	for _, c := range []struct {
		in   string
		zone *time.Location
		want string
	}{
		{"2026-03-02 18:15:27.123", seoul, "2026-03-02T09:15:27.123Z"},
		{"Mon Mar  2 18:15:27 2026", seoul, "2026-03-02T09:15:27Z"},
		{"Mon Mar  2 18:15:27 KST 2026", seoul, "2026-03-02T09:15:27Z"},
		{"Mar 2, 2026 6:15:27 PM", seoul, "2026-03-02T09:15:27Z"},
		{"2026-061T18:15:27", seoul, "2026-03-02T09:15:27Z"},
		{"2026-03-02 18:15:27 KST", seoul, "2026-03-02T09:15:27Z"},
		{"2026-03-02 18:15:27 JST", seoul, "no zone"},
		{"2026-03-02 10:15:27", berlin, "2026-03-02T09:15:27Z"},
		{"2026-07-02 11:15:27 CEST", berlin, "2026-07-02T09:15:27Z"},
		{"2026-07-02 11:15:27 CET", berlin, "no zone"},
		{"2026-03-02 09:15:27Z", seoul, "2026-03-02T09:15:27Z"},
		{"02/Mar/2026:18:15:27", seoul, "2026-03-02T09:15:27Z"},
		{"20260302181527", seoul, "2026-03-02T09:15:27Z"},
	} {
		if got := text(Guess(c.in, Beside{Zone: c.zone}, from2000, to2100)); got != c.want {
			t.Errorf("%q: got %s, want %s", c.in, got, c.want)
		}
	}
}

// TestNamed: a form by its name takes its own and no other.
func TestNamed(t *testing.T) {
	for _, c := range []struct{ form, in, want string }{
		{"epoch_s", "1772442927", "2026-03-02T09:15:27Z"},
		{"epoch_s", "1772442927.1239", "2026-03-02T09:15:27.123Z"},
		{"epoch_ms", "1772442927123.9", "2026-03-02T09:15:27.123Z"},
		{"epoch_us", "1772442927123456", "2026-03-02T09:15:27.123Z"},
		{"epoch_ns", "1772442927123456789", "2026-03-02T09:15:27.123Z"},
		{"epoch_ns", "5", "1970-01-01T00:00:00Z"},
		{"epoch_s", "2026-03-02T09:15:27Z", "unreadable"},
		{"iso8601", "2026-03-02 09:15:27Z", "2026-03-02T09:15:27Z"},
		{"rfc3339", "1772442927", "unreadable"},
		{"apache", "02/Mar/2026:10:15:27 +0100", "2026-03-02T09:15:27Z"},
		{"rfc1123", "Mon, 02 Mar 2026 09:15:27 GMT", "2026-03-02T09:15:27Z"},
		{"rfc1123", "Xxx, 02 Mar 2026 09:15:27 GMT", "unreadable"},
		{"ansic", "Mon Mar  2 09:15:27 2026", "no zone"},
		{"dotnet", "/Date(1772442927123)/", "2026-03-02T09:15:27.123Z"},
		{"filetime", "134169165271230000", "2026-03-02T09:15:27.123Z"},
		{"ansic", "Mon Mar  2 09:15:27 UTC 2026", "2026-03-02T09:15:27Z"},
		{"ticks", "639080397271230000", "2026-03-02T09:15:27.123Z"},
		{"webkit", "13416916527123456", "2026-03-02T09:15:27.123Z"},
		{"us", "3/2/2026 9:15:27 AM UTC", "2026-03-02T09:15:27Z"},
		{"us", "03/02/2026, 09:15:27.123 Z", "2026-03-02T09:15:27.123Z"},
		{"us", "03/02/26 09:15 Z", "2026-03-02T09:15:00Z"},
		{"us", "Mar 2, 2026 9:15:27 AM UTC", "2026-03-02T09:15:27Z"},
		{"us", "3/2/2026 12:15:27 AM", "no zone"},
		{"us", "13/02/2026 09:15:27 Z", "unreadable"},
		{"eu", "02.03.2026 10:15:27 +0100", "2026-03-02T09:15:27Z"},
		{"eu", "02/03/2026 09:15:27 Z", "2026-03-02T09:15:27Z"},
		{"eu", "02-03-2026T09:15:27Z", "2026-03-02T09:15:27Z"},
		{"eu", "02/03.2026 09:15:27 Z", "unreadable"},
		{"%d.%m.%Y %H:%M:%S %z", "02.03.2026 10:15:27 +01:00", "2026-03-02T09:15:27Z"},
		{"%m/%d/%Y %I:%M:%S %p %Z", "3/2/2026 9:15:27 AM UTC", "2026-03-02T09:15:27Z"},
		{"%m/%d/%Y %I:%M %p %Z", "3/2/2026 12:15 am UTC", "2026-03-02T00:15:00Z"},
		{"%m/%d/%Y %I:%M %p %Z", "3/2/2026 12:15 pm UTC", "2026-03-02T12:15:00Z"},
		{"%d-%b-%y %H.%M.%S.%f %z", "02-MAR-26 09.15.27.123000 +00:00", "2026-03-02T09:15:27.123Z"},
		{"%Y%j %T%z", "2026061 09:15:27Z", "2026-03-02T09:15:27Z"},
		{"%s.%f", "1772442927.123", "2026-03-02T09:15:27.123Z"},
		{"%A, %e %B %Y %R %z", "Monday,  2 March 2026 09:15 UTC", "2026-03-02T09:15:00Z"},
		{"%d/%m/%Y", "02/03/2026", "no zone"},
		{"syslog", "Mar  2 2026 09:15:27.123 UTC", "2026-03-02T09:15:27.123Z"},
		{"syslog", "Mar 02 09:15:27 2026 GMT", "2026-03-02T09:15:27Z"},
		{"syslog", "Mar 2 2026 10:15:27 CET", "no zone"},
		{"syslog", "Mar  2 09:15:27", "no year"},
		{"syslog", "Mar 32 09:15:27", "unreadable"},
		{"syslog", "Mar  2 2026", "unreadable"},
		{"%b %d %H:%M:%S", "Mar 2 09:15:27", "no year"},
	} {
		f, ok := Named(c.form)
		if !ok {
			t.Fatalf("%s is no form", c.form)
		}
		if got := text(f.Read(c.in, Beside{})); got != c.want {
			t.Errorf("%s of %q: got %s, want %s", c.form, c.in, got, c.want)
		}
	}
	for _, name := range []string{"epoch", "", "%H:%M", "%Q", "%Y-%m", "%"} {
		if _, ok := Named(name); ok {
			t.Errorf("%q was taken for a form", name)
		}
	}
}

// TestWithoutYear: a time without a year is the last before what is known of the source.
func TestWithoutYear(t *testing.T) {
	form, _ := Named("syslog")
	at := func(s string) int64 { ms, _ := RFC3339([]byte(s)); return ms }
	seoul := time.FixedZone("KST", 9*3600)
	for _, c := range []struct {
		in    string
		until string
		zone  *time.Location
		want  string
	}{
		{"Mar  2 09:15:27", "2026-03-03T00:00:00Z", time.UTC, "2026-03-02T09:15:27Z"},
		{"Mar  2 09:15:27", "2026-03-02T09:15:27Z", time.UTC, "2025-03-02T09:15:27Z"},
		{"Dec 31 23:59:59", "2026-01-01T12:00:00Z", time.UTC, "2025-12-31T23:59:59Z"},
		{"Jan  1 08:00:00", "2026-01-01T00:00:00Z", seoul, "2025-12-31T23:00:00Z"},
		{"Feb 29 09:15:27", "2026-03-02T00:00:00Z", time.UTC, "2024-02-29T09:15:27Z"},
		{"Mar  2 09:15:27 UTC", "2026-03-03T00:00:00Z", nil, "2026-03-02T09:15:27Z"},
		{"Mar  2 09:15:27", "2026-03-03T00:00:00Z", nil, "no zone"},
		{"Mar 2 2020 09:15:27", "2026-03-03T00:00:00Z", time.UTC, "2020-03-02T09:15:27Z"},
	} {
		if got := text(form.Read(c.in, Beside{Zone: c.zone, Until: at(c.until)})); got != c.want {
			t.Errorf("%q until %s: got %s, want %s", c.in, c.until, got, c.want)
		}
	}
}

func TestFixed(t *testing.T) {
	for in, want := range map[string]string{"12.0": "12", "4711.000": "4711", "1.5e1": "15", "1E3": "1000", "0.0": "0", "-0.0": "0",
		"-1.0": "-1", "12.5": "", "1e-1": "", "x": "", "": "", "1e65": "", "100e-2": "1"} {
		got, ok := Fixed(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q %t, want %q", in, got, ok, want)
		}
	}
}

// FuzzGuess: whatever comes in is answered, and a time that Guess reads as text is
// the time that it is when written as RFC 3339.
func FuzzGuess(f *testing.F) {
	for _, s := range []string{"2026-03-02T09:15:27.123Z", "02/Mar/2026:10:15:27 +0100", "Mon, 02 Mar 2026 09:15:27 GMT", "1772442927.5",
		"Mon Mar  2 09:15:27 UTC 2026", "/Date(1)/", "20260302T091527Z", "2026-03-02 18:15:27 KST"} {
		f.Add(s, "%Y-%m-%d %H:%M:%S")
	}
	zone := time.FixedZone("KST", 9*3600)
	f.Fuzz(func(t *testing.T, s, form string) {
		if named, ok := Named(form); ok {
			named.Read(s, Beside{Zone: zone, Until: 1772442927123})
		}
		ms, outcome := Guess(s, Beside{}, from2000, to2100)
		if outcome != OK {
			return
		}
		again := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
		if ms >= from2000 && ms < to2100 {
			if got, ok := RFC3339([]byte(again)); !ok || got != ms {
				t.Fatalf("%q: %d is %s, which is read as %d", s, ms, again, got)
			}
		}
	})
}
