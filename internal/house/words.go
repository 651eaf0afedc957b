// Package house holds the rules of this repository's form that no linter knows:
// which words are not ours to use, how large a file and a package may become,
// and that the README names every page and folder. The rules are its tests.
package house

// banned lists words that once were private names for things which have a name
// in the field, and the word to use. They stand neither in identifiers nor in
// comments nor in pages.
var banned = map[string]string{
	"dossier":   "record",
	"muster":    "summary",
	"obey":      "carry out a command",
	"keeper":    "checkpointer, writer",
	"heard":     "input, reported",
	"spoke":     "activity of a source",
	"spoken":    "activity of a source",
	"lesson":    "learning weight",
	"stray":     "outlier",
	"tidings":   "input",
	"hearsay":   "input",
	"fortnight": "two weeks",
}

// bannedNames lists words that are plain English in a sentence, but say nothing
// as the name of a thing in code.
var bannedNames = map[string]string{
	"news":   "actions",
	"told":   "reported, sent",
	"voice":  "activity",
	"voices": "activities",
	"book":   "writer, log",
	"taught": "learned",
	"unlike": "outlier probability",
}
