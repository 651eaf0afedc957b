package timeform

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTimeAgrees: RFC3339 agrees with the standard library on every time that
// it can write.
func TestTimeAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-62_135_596_800_000, 253_402_300_799_999).Draw(t, "ms")
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60, 23*60).Draw(t, "zone"))
		std := time.UnixMilli(ms).In(zone)
		if std.Year() < 0 || std.Year() > 9999 {
			t.Skip("RFC 3339 has four digits for the year")
		}
		layout := rapid.SampledFrom([]string{"2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000000000Z07:00", "2006-01-02t15:04:05.999z07:00", "2006-01-02 15:04:05Z07:00"}).Draw(t, "layout")
		s := std.Format(strings.ReplaceAll(layout, "z07:00", "Z07:00"))
		want := ms
		if layout == "2006-01-02 15:04:05Z07:00" {
			want = std.Unix() * 1000
		}
		if got, ok := RFC3339([]byte(s)); !ok || got != want {
			t.Fatalf("%s: got %d %t, want %d", s, got, ok, want)
		}
	})
}

// FuzzTime: what RFC3339 takes is a time to the standard library too, and the
// same one, once what RFC 3339 allows and the library does not is put right:
// lower case, a space for the T, a 60th second. (The library takes more: a comma,
// an hour of one digit. TestTimeAgrees shows that all it writes is taken.)
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-03-01T09:15:27.123Z", "2024-02-29T00:00:00-23:59", "2016-12-31T23:59:60Z",
		"2026-02-29T00:00:00Z", "2026-03-01T09:15:27,5Z", "2026-03-01 09:15:27z", "2026-03-01T24:00:00Z", "0000-01-01T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := RFC3339([]byte(s))
		if !ok {
			return
		}
		plain, extra := strings.ToUpper(s[:10]+"T"+s[11:]), int64(0)
		if plain[17:19] == "60" {
			plain, extra = plain[:17]+"59"+plain[19:], 1000
		}
		std, err := time.Parse(time.RFC3339, plain)
		if err != nil || got != std.UnixMilli()+extra {
			t.Fatalf("%q: got %d, the library has %d, %v", s, got, std.UnixMilli()+extra, err)
		}
	})
}
