package main

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// judgeAddress returns the base of all requests. Its errors never repeat the
// address: they may be sent to others.
func judgeAddress(s string) (string, error) {
	if s == "" {
		return "", errors.New("an address is missing\nNext: make smoke ADDRESS=https://your.domain")
	}
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("this is no address\nNext: write it with https:// before the name, such as https://ai.example.com")
	case u.User != nil:
		return "", errors.New("a credential stands in the address\nNext: leave it out, and set " + tokenVariable)
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("there is something behind the host\nNext: give scheme and host only, such as https://ai.example.com")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", errors.New("over http the token could be read on its way\nNext: write https://; http is for this machine's own addresses")
	}
	return u.Scheme + "://" + u.Host, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// judgeToken returns the token. Its errors never repeat it.
func judgeToken(getenv func(string) string) (string, error) {
	const next = "\nNext: read -rs " + tokenVariable + " && export " + tokenVariable + ", then paste the token of a user who may chat;" +
		"\n      in LOONGCLAW_TOKENS=alice:TOKEN it stands behind the colon. Then: make smoke ADDRESS=https://your.domain"
	s := getenv(tokenVariable)
	switch {
	case strings.Contains(getenv("MAKEFLAGS"), tokenVariable+"="):
		return "", errors.New("the token stands among the arguments of make, which everybody on this machine can see" + next)
	case s == "":
		return "", errors.New("a token is missing" + next)
	case strings.ContainsAny(s, ":,"):
		return "", errors.New("this is an entry of LOONGCLAW_TOKENS, and no token" + next)
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("a blank or a character that no token has stands in the token" + next)
	}
	return s, nil
}
