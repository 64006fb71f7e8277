package access

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the peers whose X-Forwarded-* headers count.
type Proxies []netip.Prefix

// ParseProxies reads TRUSTED_PROXIES: addresses and networks separated by
// commas. The error joins every fault.
func ParseProxies(s string) (Proxies, error) {
	var all Proxies
	var faults []error
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if a, aerr := netip.ParseAddr(part); aerr == nil {
			p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%q is neither an address nor a network; write 10.0.0.5 or 10.0.0.0/8", part))
			continue
		}
		all = append(all, p.Masked())
	}
	return all, errors.Join(faults...)
}

// Trust reports whether an address is a trusted proxy's.
func (ps Proxies) Trust(a netip.Addr) bool {
	return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Client is the address that a request came from: the peer's, or, when the peer
// is trusted, the last one in X-Forwarded-For that is not. An invalid address
// says that the peer has none that can be read.
func (ps Proxies) Client(peer string, h http.Header) (addr netip.Addr, trusted bool) {
	addr = ParseAddr(peer)
	if len(ps) == 0 || !ps.Trust(addr) {
		return addr, false
	}
	hops := strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a := ParseAddr(strings.TrimSpace(hop))
		if !a.IsValid() {
			break
		}
		if addr = a; !ps.Trust(a) {
			break
		}
	}
	return addr, true
}

// ParseAddr reads IP or IP:port; what is neither gives an invalid address.
func ParseAddr(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// AddrKey is the key under which an address is counted. One IPv6 customer holds
// a /64, so all of it counts as one.
func AddrKey(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// IsLoopbackHost reports whether a Host header names this machine's loopback, which
// no name in the public DNS can be made to do.
func IsLoopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Unmap().IsLoopback()
}
