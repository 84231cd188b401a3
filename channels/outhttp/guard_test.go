package outhttp_test

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"onmyway/channels/outhttp"
)

var pushHosts = []string{"fcm.googleapis.com", "*.push.apple.com", "*.notify.windows.com"}

func TestCheckURL(t *testing.T) {
	push := outhttp.Guard{Hosts: pushHosts}
	open := outhttp.Guard{}
	lab := outhttp.Guard{Private: true, Insecure: true}
	rows := []struct {
		name  string
		guard outhttp.Guard
		url   string
		ok    bool
	}{
		{"exact host", push, "https://fcm.googleapis.com/fcm/send/abc", true},
		{"exact host, port 443", push, "https://fcm.googleapis.com:443/x", true},
		{"upper case", push, "https://FCM.GoogleApis.com/x", true},
		{"below a pattern", push, "https://web.push.apple.com/x", true},
		{"deep below a pattern", push, "https://a.b.notify.windows.com/?token=1", true},
		{"the apex of a pattern", push, "https://push.apple.com/x", false},
		{"suffix without dot", push, "https://evilpush.apple.com/x", false},
		{"suffix glued on", push, "https://fcm.googleapis.com.evil.example/x", false},
		{"prefix glued on", push, "https://evilfcm.googleapis.com/x", false},
		{"below an exact host", push, "https://a.fcm.googleapis.com/x", false},
		{"trailing dot", push, "https://fcm.googleapis.com./x", false},
		{"trailing dot, any host", open, "https://example.com./x", false},
		{"two trailing dots", open, "https://example.com../x", false},
		{"leading dot", open, "https://.example.com/x", false},
		{"other host", push, "https://example.com/x", false},
		{"host only in the path", push, "https://example.com/fcm.googleapis.com", false},
		{"host only in the query", push, "https://example.com?fcm.googleapis.com", false},
		{"host only in the user", push, "https://fcm.googleapis.com@example.com/", false},
		{"user", push, "https://u@fcm.googleapis.com/", false},
		{"user and password", push, "https://u:p@fcm.googleapis.com/", false},
		{"empty user", push, "https://@fcm.googleapis.com/", false},
		{"http", push, "http://fcm.googleapis.com/", false},
		{"http on port 443", push, "http://fcm.googleapis.com:443/", false},
		{"ftp", push, "ftp://fcm.googleapis.com/", false},
		{"file", open, "file:///etc/passwd", false},
		{"no scheme", open, "//example.com/", false},
		{"relative", open, "/x", false},
		{"empty", open, "", false},
		{"opaque", open, "https:example.com", false},
		{"javascript", open, "javascript:alert(1)", false},
		{"no host", open, "https:///x", false},
		{"only a port", open, "https://:443/x", false},
		{"port 80", push, "https://fcm.googleapis.com:80/", false},
		{"port 8443", push, "https://fcm.googleapis.com:8443/", false},
		{"port 22", open, "https://example.com:22/", false},
		{"port 0443", open, "https://example.com:0443/", false},
		{"empty port", open, "https://example.com:/", false},
		{"loopback", open, "https://127.0.0.1/", false},
		{"loopback, short", open, "https://127.1/", false},
		{"loopback, hex", open, "https://0x7f.1/", false},
		{"loopback, hex in one", open, "https://0x7f000001/", false},
		{"loopback, decimal", open, "https://2130706433/", false},
		{"loopback, octal", open, "https://0177.0.0.1/", false},
		{"loopback, padded", open, "https://127.0.0.01/", false},
		{"loopback by name", open, "https://localhost/", false},
		{"IPv6 loopback", open, "https://[::1]/", false},
		{"IPv6 any", open, "https://[::]/", false},
		{"mapped loopback", open, "https://[::ffff:127.0.0.1]/", false},
		{"mapped loopback, hex", open, "https://[::ffff:7f00:1]/", false},
		{"IPv6 zone", open, "https://[fe80::1%25eth0]/", false},
		{"zero", open, "https://0/", false},
		{"public IPv4", open, "https://8.8.8.8/", false},
		{"public IPv6", open, "https://[2606:4700::1111]/", false},
		{"metadata", open, "https://169.254.169.254/latest/meta-data/", false},
		{"IDN", open, "https://exämple.com/", false},
		{"IDN dot", open, "https://example。com/", false},
		{"full-width digits", open, "https://１２７.0.0.1/", false},
		{"circled letters", open, "https://ⓔxample.com/", false},
		{"escaped host", open, "https://%65xample.com/", false},
		{"space in host", open, "https://exa mple.com/", false},
		{"CRLF in host", open, "https://example.com\r\nHost: x/", false},
		{"backslash", open, `https://example.com\@evil.example/`, false},
		{"punycode", open, "https://xn--exmple-cua.com/", true},
		{"one word", open, "https://intranet/", false},
		{"hyphen first", open, "https://-a.example.com/", false},
		{"long label", open, "https://" + strings.Repeat("a", 64) + ".com/", false},
		{"long name", open, "https://" + strings.Repeat("abc.", 64) + "com/", false},
		{"lab: loopback by http", lab, "http://127.0.0.1:8080/x", true},
		{"lab: localhost", lab, "http://localhost:8080/x", true},
		{"lab: IPv6 loopback", lab, "http://[::1]:8080/x", true},
		{"lab: a service by one word", lab, "http://twilio_mock:8080/x", true},
		{"lab: still no user", lab, "http://u:p@127.0.0.1/", false},
		{"lab: still no other scheme", lab, "gopher://127.0.0.1/", false},
		{"lab: still no short address", lab, "http://127.1/", false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			u, err := url.Parse(r.url)
			if err != nil {
				if r.ok {
					t.Fatalf("parse: %v", err)
				}
				return
			}
			err = outhttp.CheckURL(r.guard, u)
			if (err == nil) != r.ok {
				t.Fatalf("CheckURL = %v, want ok %v", err, r.ok)
			}
			if err != nil && !errors.Is(err, outhttp.ErrForbidden) {
				t.Errorf("%v is not ErrForbidden", err)
			}
		})
	}
}

func TestPublic(t *testing.T) {
	public := []string{
		"8.8.8.8", "1.1.1.1", "142.250.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1",
		"198.17.0.1", "198.20.0.1", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111", "2a00:1450::1",
	}
	private := []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
		"168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
		"192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
		"240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
		"64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:2::1", "2001:10::1",
		"2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
		"fec0::1", "ff02::1", "4000::1",
	}
	for _, s := range public {
		if !outhttp.Public(netip.MustParseAddr(s)) {
			t.Errorf("%s is not public, want public", s)
		}
	}
	for _, s := range private {
		if outhttp.Public(netip.MustParseAddr(s)) {
			t.Errorf("%s is public, want not", s)
		}
	}
	if outhttp.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// Whatever is accepted is a full ASCII name on port 443 of https that no resolver can read as an address.
func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{
		"https://fcm.googleapis.com/x", "https://127.1/", "https://[::ffff:127.0.0.1]/", "https://0x7f.1/", "https://a.b.:443",
		"https://u:p@example.com", "https://example.com:443/?q#f", "https://xn--a.com", "HTTPS://EXAMPLE.COM", "https://%31.example.com",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil || outhttp.CheckURL(outhttp.Guard{}, u) != nil {
			return
		}
		host := u.Hostname()
		last := host[strings.LastIndexByte(host, '.')+1:]
		switch {
		case u.Scheme != "https", u.User != nil, u.Port() != "" && u.Port() != "443":
			t.Errorf("%q: accepted with scheme, user or port", s)
		case net.ParseIP(host) != nil, !strings.Contains(host, "."), strings.ContainsAny(last[:1], "0123456789"):
			t.Errorf("%q: accepted a host that may be an address", s)
		case strings.ContainsFunc(host, func(r rune) bool { return r > '~' || r <= ' ' || strings.ContainsRune(`%\/@:[]`, r) }):
			t.Errorf("%q: accepted a host with odd characters", s)
		}
		if outhttp.CheckURL(outhttp.Guard{Hosts: []string{host}}, u) != nil {
			t.Errorf("%q: refused although the host itself is on the list", s)
		}
		if outhttp.CheckURL(outhttp.Guard{Hosts: []string{"*." + host, "x" + host}}, u) == nil {
			t.Errorf("%q: accepted by the patterns of other names", s)
		}
	})
}

// An IPv4 address is judged alike in every form, and what the standard library calls private is never public.
func FuzzPublic(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{8, 8, 8, 8})
	f.Add(netip.MustParseAddr("64:ff9b::a00:1").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		public := outhttp.Public(a)
		if public && (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified()) {
			t.Errorf("%v is public", a)
		}
		if a.Is4() {
			mapped := netip.AddrFrom16(a.As16())
			if outhttp.Public(mapped) != public {
				t.Errorf("%v and %v differ", a, mapped)
			}
		}
	})
}
