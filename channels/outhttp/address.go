package outhttp

import (
	"net/netip"
	"strings"
)

// closed are the parts of the unicast Internet that are not the public Internet, from the IANA registries of special-
// purpose addresses (RFC 6890 and its updates) and what clouds put beside them.
var closed = prefixes(`
	0.0.0.0/8         this network
	10.0.0.0/8        private
	100.64.0.0/10     carrier-grade NAT
	127.0.0.0/8       loopback
	168.63.129.16/32  Azure's host agent
	169.254.0.0/16    link-local, metadata of most clouds
	172.16.0.0/12     private
	192.0.0.0/24      protocol assignments, metadata of one cloud
	192.0.2.0/24      documentation
	192.88.99.0/24    6to4 relays
	192.168.0.0/16    private
	198.18.0.0/15     benchmarking
	198.51.100.0/24   documentation
	203.0.113.0/24    documentation
	224.0.0.0/4       multicast
	240.0.0.0/4       class E, broadcast
	2001::/23         protocol assignments: Teredo, benchmarking, ORCHID
	2001:db8::/32     documentation
	2002::/16         6to4: an IPv4 address inside
	3fff::/20         documentation
`)

var (
	global     = netip.MustParsePrefix("2000::/3")      // the only part of IPv6 that is given out
	nat64      = netip.MustParsePrefix("64:ff9b::/96")  // RFC 6052: the last four bytes are an IPv4 address
	sharedNAT  = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598: also pods and overlay networks
	metadataV6 = netip.MustParsePrefix("fd00:ec2::/32") // AWS answers here, inside the private range
)

func prefixes(table string) (ps []netip.Prefix) {
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) > 0 {
			ps = append(ps, netip.MustParsePrefix(f[0]))
		}
	}
	return ps
}

// Public tells that an address is on the public Internet. An IPv4 address inside an IPv6 one (mapped, NAT64) is judged
// as what it is; 6to4 and Teredo, which nobody needs any more, are never public.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = embedded(a)
	if a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range closed {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// embedded takes the IPv4 address out of a mapped or NAT64 one.
func embedded(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is6() && nat64.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// lets tells whether g lets a connection to this address be made.
func (g Guard) lets(a netip.Addr) bool {
	if Public(a) {
		return true
	}
	a = embedded(a)
	return g.Private && !metadataV6.Contains(a) && (a.IsLoopback() || a.IsPrivate() || sharedNAT.Contains(a))
}
