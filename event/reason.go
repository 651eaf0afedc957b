package event

// The limits of what a decoder takes. They bound the memory and time that one
// hostile value can cost.
const (
	// MaxValue is the largest event in bytes, as JSON; a larger one is rejected.
	MaxValue = 4 << 20
	// MaxEnvelope is the largest value in bytes of a format that explodes, since
	// it holds many events; AWS writes CloudTrail files of up to 50 MB.
	MaxEnvelope = 64 << 20
	// MaxDepth is how deeply objects and arrays may nest.
	MaxDepth = 32
	// MaxRecords is how many distinct records of one event are kept. Of a larger
	// set those with the smallest hashes under a fixed key are kept, so that what
	// is kept is a function of the set; Rows then is at least the size of the set.
	MaxRecords = 50_000
	// MaxText is the longest field in bytes. A longer one becomes its beginning
	// and 128 bits of its SHA-256, so that distinct stay distinct. Session alone
	// may be longer, for it is hashed before it goes anywhere.
	MaxText = 256
	// MaxRows is the largest row count; a larger one is taken as this.
	MaxRows = 1_000_000_000_000
	// MinTime and MaxTime bound the event time, in Unix milliseconds: from 2000
	// up to but not including 2100. What lies outside is a fault of the source
	// (seconds for milliseconds, a zero, the year 9999), not a time.
	MinTime = 946_684_800_000
	MaxTime = 4_102_444_800_000
)

// Reason says why an event or a whole value was rejected. Its text is fit for a
// metric's label; neither it nor a Reject ever quotes a value.
type Reason uint8

// The reasons. Ignored and NoMap are the format's own choice, see Reason.Chosen.
const (
	Empty          Reason = iota // a value of no bytes, or white space only
	TooLarge                     // more than MaxValue or MaxEnvelope bytes
	InvalidUTF8                  // not UTF-8
	NotJSON                      // not JSON as RFC 8259 has it
	TooDeep                      // nested more than MaxDepth deep
	NotAnObject                  // JSON, but no object where an event should be
	WrongType                    // an envelope's list of events is no list, or stands twice
	TimeMissing                  // no time
	TimeUnreadable               // in no form of a time
	TimeOutOfRange               // before MinTime, or MaxTime or later
	TimeNoZone                   // a time, but of no zone
	NotOfInput                   // not of the form that the format's input names
	NoMap                        // no map of the format is for such an event
	Ignored                      // the format leaves such events out
	SchemaUnknown                // of a schema that its registry does not have, or that cannot be read
	NotOfSchema                  // not after the schema that the value names
	TimeNoYear                   // a time, but of no year
	numReasons
)

var reasonNames = [numReasons]string{
	Empty: "empty", TooLarge: "too_large", InvalidUTF8: "invalid_utf8", NotJSON: "not_json",
	TooDeep: "too_deep", NotAnObject: "not_an_object", WrongType: "wrong_type",
	TimeMissing: "time_missing", TimeUnreadable: "time_unreadable", TimeOutOfRange: "time_out_of_range",
	TimeNoZone: "time_without_zone", NotOfInput: "not_of_input",
	NoMap: "no_map", Ignored: "ignored", SchemaUnknown: "schema_unknown", NotOfSchema: "not_of_schema",
	TimeNoYear: "time_without_year",
}

// String returns the reason's name, such as "time_missing".
func (r Reason) String() string {
	if r < numReasons {
		return reasonNames[r]
	}
	return "unknown"
}

// Reasons returns all reasons, so that metrics can start at zero.
func Reasons() []Reason {
	all := make([]Reason, numReasons)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// Chosen reports whether the event was left out because its format says so (it
// is counted, like all) rather than because something is wrong with it (it is
// also recorded).
func (r Reason) Chosen() bool { return r == NoMap || r == Ignored }

// Reject tells why a value, or one event of an envelope, made no Event.
type Reject struct {
	Reason Reason
	Path   string // of the field at fault in the source's terms, such as "records[3]"; empty for the whole
	Index  int    // of the event in an exploded envelope; -1 for the whole value
	Offset int    // byte at which InvalidUTF8, NotJSON and TooDeep were found; -1 otherwise
}

// Notes is a set of oddities that do not reject an event, and are counted.
type Notes uint16

// The notes.
const (
	ActionUnknown Notes = 1 << iota // taken as a read
	IPInvalid                       // the address was dropped
	FieldDropped                    // a field that is neither string nor integer was dropped
	TextShortened                   // a field was longer than MaxText
	RecordsCapped                   // more than MaxRecords distinct records
	RowsCapped                      // more than MaxRows rows
	DuplicateKey                    // a key stood twice in one object; the first counts
	TimeGuessed                     // the form of the time was guessed
	RecordDropped                   // a record id that is neither text nor integer was dropped
	RowsDropped                     // a row count that is no count was dropped
	endNotes
)

var noteNames = []string{"action_unknown", "ip_invalid", "field_dropped", "text_shortened",
	"records_capped", "rows_capped", "duplicate_key",
	"time_guessed", "record_dropped", "rows_dropped"}

// AllNotes returns each single note, so that metrics can start at zero.
func AllNotes() []Notes {
	var all []Notes
	for n := Notes(1); n < endNotes; n <<= 1 {
		all = append(all, n)
	}
	return all
}

// String returns the names of the notes in n, joined by commas; that of a
// single note is fit for a metric's label.
func (n Notes) String() string {
	s := ""
	for i, name := range noteNames {
		if n&(1<<i) == 0 {
			continue
		}
		if s != "" {
			s += ","
		}
		s += name
	}
	return s
}
