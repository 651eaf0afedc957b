package guess

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/event"
	"github.com/weirhq/weir/event/fieldmap"
)

// TestPresets: the sample of each format that comes with weir is known as such.
func TestPresets(t *testing.T) {
	for _, name := range fieldmap.Names() {
		found, err := filepath.Glob("../../event/fieldmap/testdata/" + name + ".*")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if strings.HasSuffix(path, ".golden") {
				continue
			}
			g, err := File(path)
			if err != nil {
				t.Fatal(err)
			}
			if g.Preset != name {
				t.Errorf("%s looks like %s", path, g.Looks)
			}
		}
	}
}

// written is when the samples were written.
var written = time.Date(2026, 3, 3, 11, 0, 0, 0, time.UTC)

// TestDrafts: of what no format that comes with weir is for, a field map is drafted
// under which the sample can be read.
func TestDrafts(t *testing.T) {
	for _, c := range []struct{ name, sample, looks, want string }{
		{"a table", "when;who;customer_no\n2026-03-02T09:15:27Z;alice;4711\n2026-03-02T09:15:28Z;bob;4712\n", "CSV with the columns when, who, customer_no",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice","records":["4711"]}`},
		{"Latin-1", "zeit;user_name;datetime;customer_id\nx;jos\xe9;2026-03-02T09:15:27Z;5\ny;b;2026-03-02T09:15:27Z;6", "CSV with the columns zeit, user_name, datetime, customer_id, in the charset windows-1252",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"josé","records":["5"]}`},
		{"a table in UTF-16", "\xff\xfe" + wide("time,user,customer_id\n2026-03-02 09:15:27,kim,5\n"), "CSV with the columns time, user, customer_id",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["5"]}`},
		{"a table with cells of two lines", "\"time\",\"user\",\"customer_id\",\"note\"\n\"2026-03-02T09:15:27Z\",\"kim\",\"5\",\"a\nb\"\n\"2026-03-02T09:15:28Z\",\"kim\",\"6\",\"c\nd\"\n", "CSV with the columns time, user, customer_id, note",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["5"]}`},
		{"a table from a spreadsheet", "sep=;\ntime;user;customer_id\n2026-03-02T09:15:27Z;kim;5\n", "CSV with the columns time, user, customer_id",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["5"]}`},
		{"JSON after syslog's header", "<134>1 2026-03-02T09:15:27Z host app 1 - - {\"ts\":\"2026-03-02T09:15:27Z\",\"user\":\"kim\",\"customer_id\":5}\n", "lines of syslog, and in them JSON",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","client":"app","records":["5"]}`},
		{"CloudTrail in SQS", `{"MessageId":"m","Body":"{\"detail\":{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-03-02T09:15:27Z\",\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"GetObject\",\"sourceIPAddress\":\"192.0.2.7\",\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":\"kim\"},\"requestParameters\":{\"bucketName\":\"b\",\"key\":\"c/1\"}}}"}`,
			"JSON that holds, at Body, events of the format cloudtrail (1 events",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","role":"IAMUser","ip":"192.0.2.7","endpoint":"s3.amazonaws.com:GetObject","records":["b/c/1"]}`},
		{"CloudTrail in SNS in SQS", `{"Records":[{"messageId":"m","body":"{\"Type\":\"Notification\",\"Message\":\"{\\\"eventVersion\\\":\\\"1.08\\\",\\\"eventTime\\\":\\\"2026-03-02T09:15:27Z\\\",\\\"eventSource\\\":\\\"s3.amazonaws.com\\\",\\\"eventName\\\":\\\"GetObject\\\",\\\"sourceIPAddress\\\":\\\"192.0.2.7\\\",\\\"userIdentity\\\":{\\\"type\\\":\\\"IAMUser\\\",\\\"userName\\\":\\\"kim\\\"},\\\"requestParameters\\\":{\\\"bucketName\\\":\\\"b\\\",\\\"key\\\":\\\"c/1\\\"}}\"}"}]}`,
			"JSON that holds, at ['Records[].body', Message], events of the format cloudtrail (1 events",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","role":"IAMUser","ip":"192.0.2.7","endpoint":"s3.amazonaws.com:GetObject","records":["b/c/1"]}`},
		{"what Pub/Sub pushes", `{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(`{"ts":"2026-03-02T09:15:27Z","user":"kim","customerId":4711}`)) + `","messageId":"1"}}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","id":"1","action":"read","actor":"kim","records":["4711"]}`},
		{"OCSF in a list", `{"events":[{"class_uid":6003,"activity_id":2,"time":1772442927000,"actor":{"user":{"email_addr":"kim@example.com"}},"resources":[{"uid":"5"}]}]}`,
			"JSON that holds, at 'events[]', events of the format ocsf (1 events", `{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim@example.com","records":["5"]}`},
		{"pgAudit in another zone", `2026-03-02 18:15:27.123 KST,"kim","crm",4242,"192.0.2.7:51234",65e2f0a1.1092,7,"SELECT",2026-03-02 18:10:00 KST,4/101,0,LOG,00000,"AUDIT: SESSION,7,1,READ,SELECT,TABLE,public.customers,select 1,<none>,71",,,,,,,,,"psql","client backend",,0` + "\n",
			"a log, in the zone of Asia/Seoul, of the format pgaudit (1 events", `{"time":"2026-03-02T09:15:27.123Z","id":"65e2f0a1.1092:7:1","action":"read","actor":"kim","ip":"192.0.2.7","client":"psql","endpoint":"public.customers","rows":71}`},
		{"times with the abbreviation of a zone", "time,user,customer_id\n2026-03-02 10:15:27 CET,kim,5\n", "CSV with the columns time, user, customer_id",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["5"]}`},
		{"names in capitals", "LOGIN_TIME,EMPLOYEE_NO,IP_ADDRESS,CUSTOMER_ID\n2026-03-02T09:15:27Z,kim,192.0.2.7,5\n", "CSV with the columns LOGIN_TIME",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","ip":"192.0.2.7","records":["5"]}`},
		{"an agent and nobody else", "date\ttime\tc-ip\tcs(User-Agent)\tcs-uri-stem\n2026-03-02\t09:15:27\t192.0.2.7\tcurl/8.5\t/customers/5\n", "CSV with the columns date, time",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","ip":"192.0.2.7","client":"curl/8.5","endpoint":"/customers/{id}","records":["5"]}`},
		{"lists of one", `{"ts":"2026-03-02T09:15:27Z","users":[{"user":"kim","db":"crm"}],"sourceIPs":["192.0.2.7"],"recipients":[{"email":"a@example.com"}],"customer":5}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","ip":"192.0.2.7","records":["5"]}`},
		{"others only", `{"ts":"2026-03-02T09:15:27Z","recipients":[{"email":"a@example.com"}],"customer":5}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","records":["5"]}`},
		{"a path without a slash", `{"time":"2026-03-02T09:15:27Z","user":"kim","request":{"path":"secret/data/customers/5"}}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","endpoint":"secret/data/customers/{id}","records":["5"]}`},
		{"one customer of all, and documents", `{"ts":"2026-03-02T09:15:27Z","user":"kim","customerId":"C1","doc_id":"d1"}` + "\n" + `{"ts":"2026-03-02T09:15:28Z","user":"kim","customerId":"C1","doc_id":"d2"}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["d1"]}`},
		{"Okta's columns", "uuid,published,eventType,actor.alternateId,client.ipAddress,outcome.result\nu1,2026-03-02T09:15:27Z,user.authentication.sso,kim@example.com,192.0.2.7,SUCCESS\n", "a table of the format okta",
			`{"time":"2026-03-02T09:15:27.000Z","id":"u1","action":"read","actor":"kim@example.com","ip":"192.0.2.7","endpoint":"user.authentication.sso"}`},
		{"names with blanks and brackets", "Event time [UTC],User name,User type,Record type,Resource name,Request ID\n2026-03-02T09:15:27Z,kim,Regular,File,d1,r1\n2026-03-02T09:15:28Z,lee,Regular,File,d2,r2\n", "CSV with the columns Event time",
			`{"time":"2026-03-02T09:15:27.000Z","id":"r1","action":"read","actor":"kim","role":"Regular","records":["d1"]}`},
		{"a day and a time of the day in digits", "DATUM;UZEIT;BENUTZER;KUNDE\n20260302;091527;kim;5\n", "CSV with the columns DATUM",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["5"]}`},
		{"a time as Java writes it", `{"accessedAt":[2026,3,2,9,15,27,123000000],"user":"kim","customer":5}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.123Z","action":"read","actor":"kim","records":["5"]}`},
		{"lines of a server of files", strings.Repeat("b1 [02/Mar/2026:09:15:27 +0000] 192.0.2.7 arn:aws:iam::1:user/kim REST.GET.OBJECT \"GET /customers/2026/4711.json HTTP/1.1\" 200 - \"S3Console/0.4\"\n", 2) +
			"b1 [02/Mar/2026:09:15:27 +0000] 192.0.2.7 arn:aws:iam::1:user/kim REST.GET.OBJECT \"GET /customers/2026/4712.json HTTP/1.1\" 200 12 \"curl\"\n", "lines of text",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"arn:aws:iam::1:user/kim","ip":"192.0.2.7","client":"S3Console/0.4","endpoint":"GET /customers/{id}/4711.json HTTP/1.1","records":["4711.json"]}`},
		{"lines of words, and one that is another", strings.Repeat("2026-03-02 09:15:27,123 user=kim opened TCP_MISS/200 from 192.0.2.7\n", 5) + "hello\n", "lines of text",
			`{"time":"2026-03-02T09:15:27.123Z","action":"read","actor":"kim","ip":"192.0.2.7"}`},
		{"a table as psql prints it", " time                   | user_name | customer_id \n------------------------+-----------+-------------\n 2026-03-02 09:15:27+00 | kim       | 4711\n 2026-03-02 09:15:28+00 | kim       | 4712\n(2 rows)\n", "CSV with the columns time, user_name, customer_id",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["4711"]}`},
		{"JSON after a key", "k1\t{\"time\":\"2026-03-02T09:15:27Z\",\"user\":\"kim\",\"customer\":4711}\n", "lines with a header, and in them JSON",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["4711"]}`},
		{"what kafka-console-consumer prints", "CreateTime:1772442927123\tPartition:0\t{\"user\":\"kim\",\"customer\":4711}\n", "lines with a header, and in them JSON",
			`{"time":"2026-03-02T09:15:27.123Z","action":"read","actor":"kim","records":["4711"]}`},
		{"documents in texts", `"{\"time\":\"2026-03-02T09:15:27Z\",\"user\":\"kim\",\"customer\":4711}"` + "\n", "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["4711"]}`},
		{"a table without names", "2026-03-02T09:15:27Z;kim@example.com;4711;192.0.2.7\n2026-03-02T09:15:28Z;lee@example.com;4712;192.0.2.8\n", "CSV without the names of its columns",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim@example.com","ip":"192.0.2.7"}`},
		{"a day and a time of the day", "#Fields: date time cs-username c-ip cs-uri-stem\n2026-03-02 09:15:27 kim 192.0.2.7 /customers/5\n", "CSV with the columns date, time",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","ip":"192.0.2.7","endpoint":"/customers/{id}","records":["5"]}`},
		{"CEF after syslog's header", "<134>Mar  2 09:15:27 gw CEF:0|Acme|CRM|4.2|view|record viewed|3|rt=1772442927123 src=192.0.2.7 suser=kim act=view cs1Label=customerId cs1=4711\n", "lines of syslog, and in them CEF",
			`{"time":"2026-03-02T09:15:27.123Z","action":"read","actor":"kim","ip":"192.0.2.7","endpoint":"view","records":["4711"]}`},
		{"CEF with a time in words", "CEF:0|Acme|CRM|4.2|100|download|3|suser=kim rt=Mar 02 2026 09:15:27.123 UTC patientId=4711 cnt=7\n", "CEF, the Common",
			`{"time":"2026-03-02T09:15:27.123Z","action":"export","actor":"kim","endpoint":"100","records":["4711"],"rows":7}`},
		{"LEEF", "LEEF:2.0|Acme|CRM|4.2|view|^|devTime=Mar 02 2026 09:15:27^usrName=kim^src=192.0.2.7^customerId=4711\n", "LEEF, the Log",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","ip":"192.0.2.7","records":["4711"]}`},
		{"pairs after syslog's header without a year", "Mar  2 09:15:27 host app[42]: user=kim op=read customer=4711\n", "lines of syslog, and in them key=value",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","client":"app","records":["4711"]}`},
		{"structured data", "<134>1 2026-03-02T09:15:27Z h app 1 - [crm@1 user=\"kim\" customerId=\"4711\"] {\"verb\":\"export\"}\n", "lines of syslog, and in them JSON",
			`{"time":"2026-03-02T09:15:27.000Z","action":"export","actor":"kim","client":"app","records":["4711"]}`},
		{"JSON after a container's header", "2026-03-02T09:15:27.5Z stdout F {\"user\":\"kim\",\"customerId\":4711}\n2026-03-02T09:15:28.5Z stderr F {\"user\":\"ana\",\"customerId\":4712}\n", "lines with a header, and in them JSON",
			`{"time":"2026-03-02T09:15:27.500Z","action":"read","actor":"kim","records":["4711"]}`},
		{"pairs after words", "2026-03-02 09:15:27,123 INFO  [main] audit - user=kim op=read customer=4711\n2026-03-02 09:15:28,123 ERROR [w-1] audit - user=ana op=read customer=4712\n", "lines with a header, and in them key=value",
			`{"time":"2026-03-02T09:15:27.123Z","action":"read","actor":"kim","records":["4711"]}`},
		{"GitHub after syslog's header", "<134>1 2026-03-02T09:15:27Z h app 1 - - {\"@timestamp\":1772442927123,\"action\":\"git.clone\",\"actor\":\"kim\",\"repo\":\"acme/crm\",\"_document_id\":\"x\",\"actor_ip\":\"192.0.2.7\"}\n", "lines of syslog of the format github (1 events",
			`{"time":"2026-03-02T09:15:27.123Z","id":"x","action":"export","actor":"kim","ip":"192.0.2.7","endpoint":"git.clone","records":["acme/crm"]}`},
		{"nginx after syslog's header", "<190>Mar  2 09:15:27 web nginx: 192.0.2.7 - kim [02/Mar/2026:09:15:27 +0000] \"GET /customers/4711 HTTP/1.1\" 200 12 \"-\" \"curl/8\"\n", "lines of syslog of the format nginx (1 events",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","ip":"192.0.2.7","client":"curl/8","endpoint":"GET /customers/{id}","records":["4711"]}`},
		{"a German table", "Zugriffsprotokoll M\xe4rz;;;\n;;;\n\"Datum\";\"Benutzer\";\"Kunden-Nr.\";\"T\xe4tigkeit\"\n02.03.2026 09:15;kim;4711;anzeigen\n13.03.2026 10:20;j\xf6rg;4712;l\xf6schen\n14.03.2026 10:20;ana;4713;anzeigen\nSumme;;3;\n", "CSV with the columns Datum, Benutzer, Kunden-Nr., Tätigkeit, in the charset windows-1252",
			`{"time":"2026-03-02T09:15:00.000Z","action":"read","actor":"kim","records":["4711"]}`},
		{"a Korean table with a day and a time of the day", "일시,시각,사용자,고객번호,수행업무\n2026.03.02,09:15:27,kim,4711,다운로드\n", "CSV with the columns 일시, 시각",
			`{"time":"2026-03-02T09:15:27.000Z","action":"export","actor":"kim","records":["4711"]}`},
		{"a day in figures apart from its time", "Fecha;Hora;Usuario;Cliente\n13/03/2026;09:15;kim;4711\n", "CSV with the columns Fecha",
			`{"time":"2026-03-13T09:15:00.000Z","action":"read","actor":"kim","records":["4711"]}`},
		{"American dates", "date,user,customer\n3/13/2026 9:15 AM,kim,4711\n3/2/2026 9:15 AM,kim,4712\n", "CSV with the columns date",
			`{"time":"2026-03-13T09:15:00.000Z","action":"read","actor":"kim","records":["4711"]}`},
		{"CloudWatch's subscription", `{"awslogs":{"data":"` + gzipped(`{"owner":"1","logEvents":[{"id":"a","timestamp":1772442927123,"message":"{\"user\":\"kim\",\"customerId\":4711}"},{"id":"b","timestamp":1772442928123,"message":"{\"user\":\"ana\",\"customerId\":4712}"}]}`) + `"}}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.123Z","id":"a","action":"read","actor":"kim","records":["4711"]}`},
		{"Kinesis' records", `{"Records":[{"kinesis":{"data":"` + base64.StdEncoding.EncodeToString([]byte(`{"ts":"2026-03-02T09:15:27Z","user":"kim","customerId":4711}`)) + `"}}]}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","records":["4711"]}`},
		{"CloudWatch in Kinesis", `{"Records":[{"kinesis":{"data":"` + gzipped(`{"logEvents":[{"timestamp":1772442927123,"message":"user=kim op=read customer=4711"}]}`) + `"}}]}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.123Z","action":"read","actor":"kim","records":["4711"]}`},
		{"CloudTrail in CloudWatch", `{"awslogs":{"data":"` + gzipped(`{"logEvents":[{"id":"a","timestamp":1772442927123,"message":"{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-03-02T09:15:27Z\",\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"GetObject\",\"sourceIPAddress\":\"192.0.2.7\",\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":\"kim\"},\"requestParameters\":{\"bucketName\":\"b\",\"key\":\"c/1\"}}"}]}`) + `"}}`, "JSON that holds, at awslogs.data, events of the format cloudtrail (1 events",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"kim","role":"IAMUser","ip":"192.0.2.7","endpoint":"s3.amazonaws.com:GetObject","records":["b/c/1"]}`},
		{"key=value", "ts=1772442927.5 level=info user=alice method=GET path=/customers/4711 ip=192.0.2.7\n", "key=value pairs",
			`{"time":"2026-03-02T09:15:27.500Z","action":"read","actor":"alice","ip":"192.0.2.7","endpoint":"/customers/{id}","records":["4711"]}`},
		{"JSON in JSON", `{"@timestamp":"2026-03-02T09:15:27Z","message":"{\"userName\":\"alice\",\"customerId\":4711,\"verb\":\"download\"}"}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"export","actor":"alice","records":["4711"]}`},
		{"name and value", `{"timeUnixNano":"1772442927000000000","attributes":[{"key":"enduser.id","value":{"stringValue":"alice"}},{"key":"customer.id","value":{"stringValue":"4711"}}]}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"alice","records":["4711"]}`},
		{"a list in an envelope", `{"host":"a","entries":[{"at":"2026-03-02 09:15:27","user":{"email":"a@example.com"},"customers":[{"id":1},{"id":2}]}]}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","actor":"a@example.com","records":["1","2"]}`},
		{"nothing there", `{"ts":"2026-03-02T09:15:27Z","user":"-","remote_addr":"192.0.2.7"}`, "JSON, but no format",
			`{"time":"2026-03-02T09:15:27.000Z","action":"read","ip":"192.0.2.7"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := Of([]byte(c.sample), written)
			if !strings.HasPrefix(g.Looks, c.looks) {
				t.Errorf("looks like %s, want %s", g.Looks, c.looks)
			}
			f, err := fieldmap.Parse("draft", []byte(g.Map))
			if err != nil {
				t.Fatalf("%v\n%s", err, g.Map)
			}
			got := ""
			each(f, []byte(c.sample), func(ev *event.Event, rej *event.Reject) {
				if got == "" && rej == nil {
					got = string(event.AppendNative(nil, ev))
				}
			})
			if got != c.want {
				t.Errorf("got  %s\nwant %s\n%s", got, c.want, g.Map)
			}
		})
	}
}

// gzipped returns a text as gzip and base64 pack it.
func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		panic(err) // into memory
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// wide returns ASCII text in UTF-16, the low byte first.
func wide(text string) string {
	var out strings.Builder
	for _, c := range []byte(text) {
		out.WriteByte(c)
		out.WriteByte(0)
	}
	return out.String()
}

// TestDraftWithoutTime: where no time is found, the draft says so in its place.
func TestDraftWithoutTime(t *testing.T) {
	for sample, want := range map[string]string{
		`{"when":"03.02.26 9h","user":"kim","customer":"1"}`:    "      time: when  # the form of \"03.02.26 9h\" is not known",
		`{"when":"3\n2","user":"kim","customer":"1"}`:           "      time: when  # the form of \"3\\n2\" is not known",
		`{"x":"03.02.26 9h","user":"kim","customer":"1"}`:       "      time: TIME  # which path holds it?\n",
		`{"time":"never","user":"kim","customer":"1","rows":2}`: "      time: TIME  # which path holds it?\n",
	} {
		g := Of([]byte(sample), written)
		if !strings.Contains(g.Map, want) || !strings.Contains(g.Map, "actor: user\n") {
			t.Errorf("%s: got %s\nwant %s", sample, g.Map, want)
		}
		if _, err := fieldmap.Parse("draft", []byte(g.Map)); err != nil {
			t.Errorf("%s: %v", sample, err)
		}
	}
}

// TestNoDraft: of what cannot be read, weir says what it is.
func TestNoDraft(t *testing.T) {
	for sample, want := range map[string]string{
		`[["time","user"],["2026-03-02T09:15:27Z","kim"]]`:                                                      "JSON lists of values without names",
		`{"e1":{"time":"2026-03-02T09:15:27Z","user":"kim"},"e2":{"time":"2026-03-02T09:15:28Z","user":"lee"}}`: "JSON in which each event stands under a name of its own",
		"INSERT INTO `log` VALUES (1,\"2026-03-02 09:15:27\",\"kim\");\n":                                       "a dump of SQL",
		"<Events><Event time=\"2026-03-02T09:15:27Z\" user=\"kim\"/></Events>":                                  "XML or HTML",
		"": "an empty file", "\n ": "an empty file", "<a/>": "XML or HTML", "\x00\x00\x00\x00\x01{\"a\":1}": "values of Kafka with the ids of their schemas",
		`{"schema":1,"dedup_key":"weir-5ca48e5f3fc1394b","status":"open","time":"2026-01-19T15:45:00.000Z","dimension":"user","identity":"agent.005"}`: "alerts of weir itself",
		"a\x00b": "binary data", "{\"a\":": "JSON, but no format", "hello world\n": "lines of text", "Mar  2 host app: {\"user\":1}": "lines with a header, and in them JSON",
	} {
		if g := Of([]byte(sample), written); !strings.HasPrefix(g.Looks, want) || g.Map != "" {
			t.Errorf("%q: looks like %s, want %s; map %q", sample, g.Looks, want, g.Map)
		}
	}
}

// TestCharsets: texts of few words in the charsets of several scripts.
func TestCharsets(t *testing.T) {
	for charset, lines := range map[string][]string{
		"euc-kr":       {"시간,사용자,고객번호\n2026-03-02 18:15:27,김철수,4711\n", "user,time\n이영희,1\n", "조회일시;접속자\n1;홍길동\n"},
		"shift_jis":    {"time,user,customer_id\n2026-03-02,田中,4711\n2026-03-02,佐藤,4712\n", "日時,ユーザー,顧客番号\n1,たなか,2\n"},
		"euc-jp":       {"日時,ユーザー,顧客番号\n1,たなか,2\n"},
		"gb18030":      {"时间,用户,客户编号\n1,王伟,2\n"},
		"windows-1251": {"время,пользователь\n1,Иванов\n"},
		"koi8-r":       {"время,пользователь\n1,Иванов\n"},
		"windows-1252": {"zeit,nutzer\n1,Jörg Müller\n", "user\nHélène\n", "note\nit’s “hers”\n", "user\nJosé\n", "nom;prénom\nLefèvre;Zoé\n", "a\nGroße Füße\n", "Ääkköset\n", "naïve\nÎle-de-France\n"},
	} {
		enc, err := fieldmap.Charset(charset)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range lines {
			sample, err := enc.NewEncoder().Bytes([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got := charsetOf(sample); got != charset {
				t.Errorf("%q in %s: got %q", text, charset, got)
			}
		}
	}
}

// TestUnusable: the error says what there is, and what to do.
func TestUnusable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for sample, want := range map[string]string{
		"time,actor\n2026-03-02T09:15:27Z,alice\n":                      "no event could be read as ocsf (2 not_json); this looks like CSV with the columns time, actor: try --format map.yaml, with a field map made by: weir map auto",
		`{"time":"2026-03-02T09:15:27Z","actor":"alice","records":[1]}`: "this looks like the format native (1 events of its beginning can be read): try --format native",
		"<a/>": "this looks like XML",
	} {
		if err := os.WriteFile(path, []byte(sample), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Unusable(path, "ocsf", map[string]int64{"not_json": 2}); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := Unusable(path, "mine", nil); !strings.Contains(fmt.Sprint(err), "see the places by: weir map MAP.yaml "+path+", or begin anew with: weir map auto "+path) {
		t.Errorf("of a map of the user's own: %v", err)
	}
}

// FuzzOf: whatever the sample, the field map that is drafted for it is one.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"2026-03-02 09:15:27,123 [a b] \"GET /customers/5 HTTP/1.1\" u=kim x{y} 192.0.2.7\n", "a,b\n1,2\n", `{"time":1772442927123,"a.b":{"c":["x"]},"\"":"y"}`, "a=1 b=2 time=1772442927", "[{\"ts\":\"2026-03-02 09:15:27\",\"action\":\"x'y\"}]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sample []byte) {
		g := Of(sample, time.Time{})
		if g.Map == "" {
			return
		}
		if _, err := fieldmap.Parse("draft", []byte(g.Map)); err != nil {
			t.Fatalf("%v\n%s", err, g.Map)
		}
	})
}
