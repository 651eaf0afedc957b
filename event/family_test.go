package event

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What a release or a restart changes goes; what tells clients apart stays.
func TestFamily(t *testing.T) {
	for _, c := range []struct{ client, want string }{
		{"shop-web", "shop-web"},
		{"shop-web/4.12.1", "shop-web"},
		{"shop-web/4.12.1-rc1", "shop-web"},
		{"shop-web/4.12.1+build.7", "shop-web"},
		{"shop-web/v5", "shop-web"},
		{"shop-web-4.12.1", "shop-web"},
		{"shop-web-v4", "shop-web"},
		{"shop-web-4.12.1-SNAPSHOT", "shop-web"},
		{"shop_web_4.12.1", "shop_web"},
		{"shop-web-4.12.1-android", "shop-web-android"},
		{"billing-1.4.2.jar", "billing"},
		{"MyApp 3.2 (build 991; iOS 17.2)", "MyApp (build; iOS)"},
		{"MyApp 3.2 (3201)", "MyApp (3201)"},
		{"MyApp (3.2)", "MyApp"},
		{"crm@2024.11.3", "crm"},
		{"crm@prod", "crm@prod"},
		{"crm-2024-11-03", "crm"},
		{"crm-20241103", "crm"},
		{"crm-20241103-0415", "crm"},
		{"crm-3f2a9bc", "crm"},
		{"crm/3f2a9bc81d", "crm"},
		{"crm:1.2.3", "crm"},
		{"python-requests/2.31.0", "python-requests"},
		{"Go-http-client/1.1", "Go-http-client"},
		{"okhttp/4.9.3", "okhttp"},
		{"PostmanRuntime/7.36.0", "PostmanRuntime"},
		{"aws-cli/2.13.5 Python/3.11.4 Linux/5.10.0 exe/x86_64.debian.11 prompt/off", "aws-cli Python Linux exe/x86_64.debian.11 prompt/off"},
		{
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
			"Mozilla (Windows NT; Win64; x64) AppleWebKit (KHTML, like Gecko) Chrome Safari",
		},
		{
			"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15",
			"Mozilla (Macintosh; Intel Mac OS X) AppleWebKit (KHTML, like Gecko) Version Safari",
		},
		{
			"Mozilla/5.0 (iPhone; CPU iPhone OS 17_2_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
			"Mozilla (iPhone; CPU iPhone OS like Mac OS X) AppleWebKit (KHTML, like Gecko) Mobile",
		},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/119.0", "Mozilla (X11; Linux x86_64; rv) Gecko Firefox"},
		{"Dalvik/2.1.0 (Linux; U; Android 13; SM-S918B Build/TP1A.220624.014)", "Dalvik (Linux; U; Android; SM-S918B Build)"},
		{"svc-billing-7f9c6d5b8-x2x9p", "svc-billing"},
		{
			"exporter/4.1.0 md/Botocore#1.34.1 ua/2.0 os/linux#5.10.201-191.748.amzn2.x86_64 md/arch#x86_64 lang/python#3.11.6 api/s3#1.44.0 cfg/retry-mode#standard",
			"exporter md/Botocore ua os/linux md/arch#x86_64 lang/python api/s3 cfg/retry-mode#standard",
		},
		{"exec-env/AWS_Lambda_python3.11", "exec-env/AWS_Lambda_python"},
		{"exec-env/AWS_Lambda_nodejs20.x", "exec-env/AWS_Lambda_nodejs"},
		{"team#data", "team#data"},
		{"team#7", "team#7"},
		{"svc-billing-5d4f8c9b7d-2kx9p", "svc-billing"},
		{"nightly-export-28345620-x2x9p", "nightly-export"},
		{"svc-billing-0", "svc-billing-0"},

		{"till-7", "till-7"},
		{"partner 42", "partner 42"},
		{"Pixel 7 Pro", "Pixel 7 Pro"},
		{"tenant:42", "tenant:42"},
		{"gateway 10.0.0.1", "gateway 10.0.0.1"},
		{"10.0.0.1", "10.0.0.1"},
		{"4.12.1", "4.12.1"},
		{"991", "991"},
		{"device-550e8400-e29b-41d4-a716-446655440000", "device-550e8400-e29b-41d4-a716-446655440000"},
		{"call-centre-facade", "call-centre-facade"},
		{"payment-gateway-myths", "payment-gateway-myths"},
		{"Kasse 3", "Kasse 3"},
		{"Überweisung/2.1", "Überweisung"},
		{"/", "/"},
		{"-", "-"},
	} {
		if got := string(appendFamily([]byte("x|"), c.client)); got != "x|"+c.want {
			t.Errorf("%q: %q, want %q", c.client, got[2:], c.want)
		}
	}
}

// A family is its own family, and never empty.
func TestFamilyIsFamily(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		client := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z]{1,8}([-/@ _.:;()+][A-Za-z]{0,6}[0-9.]{0,6}){0,6}`),
			rapid.String(),
		).Draw(t, "client")
		once := string(appendFamily(nil, client))
		if client != "" && once == "" {
			t.Fatalf("%q has an empty family", client)
		}
		if len(once) > len(client) {
			t.Fatalf("%q has the longer family %q", client, once)
		}
	})
}

// TestFamilyOfShortened: what a long client was shortened to is a family already.
func TestFamilyOfShortened(t *testing.T) {
	short := string(AppendShortened(nil, "exporter os/linux lang/python "+strings.Repeat("owner-team ", 40)))
	if got := Family(short); got != short {
		t.Errorf("got %q, want %q", got, short)
	}
}

func BenchmarkFamily(b *testing.B) {
	buf := make([]byte, 0, 256)
	for b.Loop() {
		buf = appendFamily(buf[:0], "shop-web/4.12.1")
	}
}
