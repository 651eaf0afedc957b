package event

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendNative appends ev in the native form, without a line end. Decoded
// again it is the same event. Absent fields are left out.
func AppendNative(dst []byte, ev *Event) []byte {
	dst = append(dst, `{"time":"`...)
	dst = time.UnixMilli(ev.Time).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, '"')
	dst = appendMember(dst, "id", ev.ID)
	dst = appendMember(dst, "action", ev.Action.String())
	dst = appendMember(dst, "actor", ev.Actor)
	dst = appendMember(dst, "role", ev.Role)
	dst = appendMember(dst, "subject", ev.Subject)
	dst = appendMember(dst, "key_id", ev.KeyID)
	dst = appendMember(dst, "session", ev.Session)
	dst = appendMember(dst, "ip", ev.IP)
	dst = appendMember(dst, "client", ev.Client)
	dst = appendMember(dst, "endpoint", ev.Endpoint)
	if len(ev.Records) > 0 {
		dst = append(dst, `,"records":[`...)
		for i, id := range ev.Records {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendText(dst, id)
		}
		dst = append(dst, ']')
	}
	if ev.Rows > 0 {
		dst = append(dst, `,"rows":`...)
		dst = strconv.AppendInt(dst, ev.Rows, 10)
	}
	return append(dst, '}')
}

// The OCSF classes that AppendOCSF writes.
const (
	ocsfAccountChange    = 3001
	ocsfAuthentication   = 3002
	ocsfEntityManagement = 3004
	ocsfAPIActivity      = 6003
)

// ocsfOther is the activity of what the class has no name for.
const ocsfOther = 99

// ocsfClass returns the class and activity that say most of an event.
func ocsfClass(ev *Event) (class, activity int) {
	switch ev.Action {
	case Read, List, Export:
		return ocsfAPIActivity, 2
	case Update:
		return ocsfAPIActivity, 3
	case Delete:
		return ocsfAPIActivity, 4
	case Login:
		return ocsfAuthentication, 1
	case Logout:
		return ocsfAuthentication, 2
	case Join:
		return ocsfAccountChange, 1
	case Leave:
		return ocsfAccountChange, 6
	}
	switch { // of a key, or of a token
	case ev.KeyID == "" || ev.Session != "":
		if ev.Action == Issue {
			return ocsfAuthentication, 3
		}
		return ocsfAuthentication, ocsfOther
	case ev.Action == Issue:
		return ocsfEntityManagement, 1
	}
	return ocsfEntityManagement, 4
}

// AppendOCSF appends ev as an OCSF 1.x event, without a line end: an access as
// API Activity, a fact as Authentication, Account Change or Entity Management.
// What OCSF has no field for stands in unmapped. Decoded by the ocsf format it
// is the same event as AppendNative decoded by native.
func AppendOCSF(dst []byte, ev *Event) []byte {
	class, activity := ocsfClass(ev)
	dst = append(dst, `{"class_uid":`...)
	dst = strconv.AppendInt(dst, int64(class), 10)
	dst = append(dst, `,"category_uid":`...)
	dst = strconv.AppendInt(dst, int64(class/1000), 10)
	dst = append(dst, `,"activity_id":`...)
	dst = strconv.AppendInt(dst, int64(activity), 10)
	dst = append(dst, `,"type_uid":`...)
	dst = strconv.AppendInt(dst, int64(class*100+activity), 10)
	dst = append(dst, `,"severity_id":1,"time":`...)
	dst = strconv.AppendInt(dst, ev.Time, 10)
	dst = append(dst, `,"metadata":{"version":"1.3.0","product":{"name":"weir","vendor_name":"weir"}`...)
	dst = appendMember(dst, "uid", ev.ID)
	dst = append(dst, '}')
	dst = appendNested(dst, `,"actor":{"user":{"name":`, ev.Actor, `}}`)
	dst = appendNested(dst, `,"session":{"uid":`, ev.Session, `}`)
	if !ev.Action.Access() {
		about := ev.Subject
		if about == "" {
			about = impliedSubject(ev)
		}
		if class == ocsfEntityManagement {
			dst = appendNested(dst, `,"entity":{"type":"key","uid":`, about, `}`)
		} else {
			dst = appendNested(dst, `,"user":{"name":`, about, `}`)
		}
	}
	dst = appendNested(dst, `,"src_endpoint":{"ip":`, ev.IP, `}`)
	dst = appendNested(dst, `,"http_request":{"user_agent":`, ev.Client, `}`)
	dst = appendNested(dst, `,"api":{"operation":`, ev.Endpoint, `}`)
	if len(ev.Records) > 0 {
		dst = append(dst, `,"resources":[`...)
		for i, id := range ev.Records {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendText(append(dst, `{"uid":`...), id), '}')
		}
		dst = append(dst, ']')
	}
	dst = append(dst, `,"unmapped":{"action":"`...)
	dst = append(append(dst, ev.Action.String()...), '"')
	dst = appendMember(dst, "role", ev.Role)
	dst = appendMember(dst, "key_id", ev.KeyID)
	if ev.Action.Access() {
		dst = appendMember(dst, "subject", ev.Subject)
	}
	if ev.Rows > 0 {
		dst = append(dst, `,"rows":`...)
		dst = strconv.AppendInt(dst, ev.Rows, 10)
	}
	return append(dst, `}}`...)
}

// appendMember appends a further member of an object, unless it is empty. The
// key needs no escape.
func appendMember(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), key...), `":`...)
	return AppendText(dst, value)
}

// appendNested appends a text between what stands before and after it, unless
// it is empty.
func appendNested(dst []byte, before, value, after string) []byte {
	if value == "" {
		return dst
	}
	return append(AppendText(append(dst, before...), value), after...)
}

// AppendText appends s as a JSON text. What is no UTF-8 becomes U+FFFD.
func AppendText(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}
