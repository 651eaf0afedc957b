package event

import (
	"strings"
)

// Family returns the family of a client: its name without what changes
// with each release or restart. So a release is not a newcomer, and the load of
// a client goes on being that of one identity.
//
// What goes: versions (4.12.1, v3, the part after the slash of a product as in
// RFC 9110, after the @ of a package, after the # of an AWS SDK, after "build" or
// the name of an operating system, at the end of the name of a runtime such as
// python3.11), what follows them (-rc1, +build.7), dates, build hashes (7 to 40
// hexadecimal digits, of both kinds), and the two random parts at the end of the
// name of a Kubernetes pod. What stays: plain numbers (till-7, Pixel 7), UUIDs,
// addresses: they tell clients apart. A client of which nothing would be left is
// its own family.
func Family(client string) string { return string(appendFamily(nil, client)) }

func appendFamily(dst []byte, client string) []byte {
	if !hasDigit(client) || isShortened(client) { // what was shortened is a family already
		return append(dst, client...)
	}
	f := family{dst: dst, from: len(dst)}
	for i := 0; i < len(client); {
		sep := i
		for i < len(client) && isSeparator(client[i]) {
			i++
		}
		word := i
		for i < len(client) && !isSeparator(client[i]) {
			i++
		}
		f.add(client[sep:word], client[word:i])
	}
	return f.end(client)
}

// family builds a family, word by word.
type family struct {
	dst     []byte
	from    int    // where it begins in dst
	last    string // the word before
	dropped bool   // it was, wholly or at its end
}

func isSeparator(c byte) bool { return separators[c] }

// separators are what stands between the words of a client.
var separators = setOf(" ()[];,/@:+=|#")

// random are the letters and digits of which Kubernetes makes names.
var random = setOf("bcdfghjklmnpqrstvwxz2456789")

func setOf(chars string) (set [256]bool) {
	for i := range len(chars) {
		set[chars[i]] = true
	}
	return set
}

// add takes in a word and what separates it from the one before.
func (f *family) add(sep, word string) {
	version := f.isVersion(sep, word)
	if !version && !isUUID(word) {
		if kept, cut := f.strip(word); cut {
			f.separate(sep)
			f.dst = append(f.dst, kept...)
			f.last, f.dropped = word, true
			return
		}
	}
	if !version {
		f.separate(sep)
		f.dst = append(f.dst, word...)
	} else if joint := strings.TrimRight(sep, " /@:+=#"); joint != "" {
		f.separate(joint)
	}
	f.last, f.dropped = word, version && word != ""
}

// separate appends what separates words, without parentheses around nothing.
func (f *family) separate(sep string) {
	for i := range len(sep) {
		if n := len(f.dst); sep[i] == ')' && n > f.from && f.dst[n-1] == '(' {
			f.trim(n - 1)
			continue
		}
		f.dst = append(f.dst, sep[i])
	}
}

// trim cuts what has been written to a length, and spaces and the like before.
func (f *family) trim(to int) {
	for to > f.from && strings.IndexByte(" ;,-_/@:+=#", f.dst[to-1]) >= 0 {
		to--
	}
	f.dst = f.dst[:to]
}

// end returns the family, or the client where nothing is left of it.
func (f *family) end(client string) []byte {
	f.trim(len(f.dst))
	for _, c := range f.dst[f.from:] {
		if isLetter(c) {
			return f.dst
		}
	}
	return append(f.dst[:f.from], client...)
}

// isVersion reports whether a word as a whole is a version, by what stands
// before it.
func (f *family) isVersion(sep, word string) bool {
	if word == "" || len(f.dst) == f.from {
		return false
	}
	before := byte(' ')
	if sep != "" {
		before = sep[len(sep)-1]
	}
	switch {
	case before == '+' && f.dropped:
		return true // build metadata
	case before == '/' && strings.EqualFold(f.last, "build"):
		return true
	case before == '#':
		return isRelease(word)
	case before == '/' || before == '@':
		return isDigit(word[0]) && !strings.ContainsAny(word, "-_") || isRelease(word)
	}
	return isNumbered(f.last) && isDigits(word) || joined(word, '_') || isDotted(word) && !isAddress(word) && !strings.Contains(word, "-")
}

// strip cuts from a word, which is parts joined by - and _, those that change.
// It reports whether it has cut any.
func (f *family) strip(word string) (kept []byte, cut bool) {
	if !hasDigit(word) || strings.IndexByte(word, '-') < 0 && strings.IndexByte(word, '_') < 0 {
		return nil, false
	}
	word, cut = cutPod(word)
	after := false // the part before was a version
	for from := 0; from < len(word); {
		to := from + 1
		for to < len(word) && word[to] != '-' && word[to] != '_' {
			to++
		}
		part := strings.TrimLeft(word[from:to], "-_")
		size := dateSize(word[from:])
		switch {
		case from > 0 && size > 0:
			from, cut, after = from+size, true, true
			continue
		case (from > 0 || isDotted(part) && !isAddress(word)) && isRelease(part), after && isSuffix(part):
			cut, after = true, true
		default:
			end := to
			if n := runtimeSize(part); n > 0 {
				end, cut = to-len(part)+n, true
			}
			kept, after = append(kept, word[from:end]...), false
		}
		from = to
	}
	return kept, cut
}

// isRelease reports whether a part of a word changes with releases.
func isRelease(part string) bool {
	return isDotted(part) || len(part) > 1 && (part[0] == 'v' || part[0] == 'V') && isDigits(part[1:]) || isHash(part)
}

// runtimeSize returns the length of the name in a part that is a name and its
// version, such as python3.11 or nodejs20.x; else zero.
func runtimeSize(part string) int {
	n := 0
	for n < len(part) && isLetter(part[n]) {
		n++
	}
	if n < 2 || !isDotted(part[n:]) || part[n] == 'v' {
		return 0
	}
	return n
}

// isSuffix reports whether a part belongs to the version before it.
func isSuffix(part string) bool {
	switch strings.ToLower(strings.TrimRight(part, "0123456789.")) {
	case "", "alpha", "beta", "rc", "pre", "preview", "dev", "snapshot", "nightly", "canary", "final", "ga", "release", "build", "hotfix", "sp":
		return true
	}
	return false
}

// isDotted reports whether a part is numbers with dots: 4.12.1, v1.2, 2.x.
func isDotted(part string) bool {
	part = strings.TrimLeft(part, "vV")
	digits := 0
	for digits < len(part) && isDigit(part[digits]) {
		digits++
	}
	return digits > 0 && digits+1 < len(part) && part[digits] == '.' && (isDigit(part[digits+1]) || part[digits+1] == 'x')
}

// isAddress reports whether a word is an IPv4 address.
func isAddress(word string) bool {
	parts := 0
	for part := range strings.SplitSeq(word, ".") {
		if !isDigits(part) || len(part) > 3 {
			return false
		}
		parts++
	}
	return parts == 4
}

// joined reports whether a word is numbers joined by c, such as 17_2_1.
func joined(word string, c byte) bool {
	parts := 0
	for part := range strings.SplitSeq(word, string(c)) {
		if !isDigits(part) {
			return false
		}
		parts++
	}
	return parts > 1
}

// isNumbered reports whether a number after a word is its version.
func isNumbered(word string) bool {
	switch strings.ToLower(word) {
	case "build", "version", "ver", "rev", "revision", "release", "v", "r",
		"android", "ios", "ipados", "macos", "windows", "nt", "tvos", "watchos":
		return true
	}
	return false
}

// isHash reports whether a part is a build hash: 7 to 40 hexadecimal digits,
// with letters and numbers among them.
func isHash(part string) bool {
	if len(part) < 7 || len(part) > 40 {
		return false
	}
	letters, digits := false, false
	for i := range len(part) {
		switch c := part[i]; {
		case isDigit(c):
			digits = true
		case c >= 'a' && c <= 'f':
			letters = true
		default:
			return false
		}
	}
	return letters && digits
}

// dateSize returns the length of a date that text begins with, its separator
// included: -20241103, -2024-11-03, _2024_11; else zero.
func dateSize(text string) int {
	digits := func(from, n int) bool {
		return len(text) >= from+n && isDigits(text[from:from+n]) && (len(text) == from+n || !isDigit(text[from+n]))
	}
	if len(text) < 7 || text[0] != '-' && text[0] != '_' || text[1] != '2' || text[2] != '0' {
		return 0
	}
	switch {
	case digits(1, 8), digits(1, 12), digits(1, 14):
		n := 9
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		return n
	case digits(1, 4) && text[5] == text[0] && digits(6, 2):
		if len(text) > 8 && text[8] == text[0] && digits(9, 2) {
			return 11
		}
		return 8
	}
	return 0
}

// cutPod cuts the random end of a pod's name: that of its replica set (or the
// minute of its job), and its own. Kubernetes makes both of letters and digits
// that spell no words.
func cutPod(word string) (name string, cut bool) {
	own := strings.LastIndexByte(word, '-')
	if own < 0 || len(word)-own-1 != 5 || !isRandom(word[own+1:]) {
		return word, false
	}
	set := strings.LastIndexByte(word[:own], '-')
	if set <= 0 {
		return word, false
	}
	hash := word[set+1 : own]
	if len(hash) < 8 || len(hash) > 10 || !isRandom(hash) && !isDigits(hash) {
		return word, false
	}
	return word[:set], true
}

// isRandom reports whether s is of the letters and digits that Kubernetes makes
// random names of.
func isRandom(s string) bool {
	for i := range len(s) {
		if !random[s[i]] {
			return false
		}
	}
	return true
}

// isUUID reports whether a word is, or ends with, a UUID.
func isUUID(word string) bool {
	return len(word) >= 36 && looksLikeID(word[len(word)-36:])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

func hasDigit(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
	}
	return false
}

// isDigits reports whether s is all digits, and not empty.
func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
