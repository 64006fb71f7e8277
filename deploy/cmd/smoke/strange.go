package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// unreachable says what an address is that gives no answer, and what to do.
func unreachable(err error) string {
	var (
		name    *net.DNSError
		plain   tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		foreign x509.HostnameError
		invalid x509.CertificateInvalidError
		waited  interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &name) && !name.IsTimeout:
		return "this name is not known here.\nNext: compare it with what `make deploy` printed; a new domain takes some minutes until everybody knows it."
	case errors.As(err, &plain) || strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return "what answers there speaks no TLS.\nNext: name the port that serves https, or the proxy before the gateway."
	case errors.As(err, &unknown), errors.As(err, &foreign), errors.As(err, &invalid):
		return "its certificate is not good for this name: it is another server's, self-signed or out of date, or somebody stands between.\n" +
			"Next: open the address in a browser. The token was not sent."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there.\nNext: start the gateway, or correct the port."
	case errors.As(err, &waited) && waited.Timeout():
		return "nothing answered in time.\nNext: try from another network. From mainland China *.workers.dev is hardly reached:\n" +
			"give the Worker a domain of its own (docs/DEPLOY-CLOUDFLARE.md, Your own domain)."
	}
	return "there is no connection to it.\nNext: open the address in a browser on this machine; if that needs a proxy, set HTTPS_PROXY."
}

// stranger says what answers at an address that is no gateway of this version; empty
// where it is one.
func stranger(a client.Answer) string {
	var h struct{ Status, Agent, Timestamp, Version string }
	isJSON := a.JSON(&h) == nil
	f := a.Fault()
	switch {
	case a.Status >= 300 && a.Status < 400:
		return elsewhere(a.Header.Get("Location"))
	case a.Status == http.StatusOK && isJSON && h.Status == "ok" && h.Version != "":
		return ""
	case a.Status == http.StatusOK && isJSON && h.Status == "ok":
		return "this is a program before 0.2, which says no version.\nNext: upgrade it (docs/OPERATIONS.md, Upgrade), then ask again."
	case isJSON && f.Code != "" && f.RequestID != "":
		return fmt.Sprintf("this is LoongClaw, and it is not well: %s (%s).\nNext: look for the reason in its log, or run `bin/gateway check` with its variables.", shaped(f.Code), shaped(f.Hint))
	case a.Status >= 500 && strings.Contains(string(a.Body), "error code: "):
		return "Cloudflare answers in the Worker's place, since that failed.\nNext: npx wrangler tail, in the folder wrangler, and ask again."
	case a.Status == http.StatusBadGateway || a.Status == http.StatusServiceUnavailable || a.Status == http.StatusGatewayTimeout:
		return "a proxy answers, and reaches no gateway behind it.\nNext: start the gateway, or correct the address in the proxy."
	case isPage(a) && a.Status == http.StatusOK:
		return "a web page answers where the gateway's health should: another site, or the sign-in page of this network.\n" +
			"Next: open the address in a browser; sign in to the network, or correct the address. The token was not sent."
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return "something that stands before the gateway lets nobody in: a login, a firewall or a bot check.\nNext: let this machine pass it, or ask from behind it. The token was not sent."
	}
	return "another program answers there.\nNext: correct the address: it is where the page of LoongClaw opens. The token was not sent."
}

// elsewhere says where a redirect leads, without its address.
func elsewhere(location string) string {
	u, err := url.Parse(location)
	switch {
	case err == nil && strings.HasSuffix(u.Hostname(), ".cloudflareaccess.com"):
		return "Cloudflare Access stands before it, and wants a person to log in.\n" +
			"Next: ask at an address that Access does not guard, such as the staging environment's."
	case err == nil && u.Scheme == "http":
		return "it leads to an address without TLS.\nNext: correct what redirects: over http a token can be read on its way. The token was not sent."
	}
	return "it leads to another address.\nNext: name the one where it ends, if that is yours. The token was not sent."
}

func isPage(a client.Answer) bool {
	return strings.HasPrefix(strings.ToLower(a.Header.Get("Content-Type")), "text/html") || strings.HasPrefix(strings.TrimSpace(strings.ToLower(string(a.Body[:min(len(a.Body), 200)]))), "<")
}

// refusedToken says why a right address does not let the token in; empty where it is
// something else.
func refusedToken(a client.Answer) string {
	switch code := a.Fault().Code; {
	case code == "unauthorized":
		return "the token is not known there.\nNext: `bin/gateway token inspect` reads it; compare it with LOONGCLAW_TOKENS of this very environment (production or staging)."
	case code == "rate_limited":
		return "this machine's address is locked there, for wrong credentials or too many requests.\nNext: wait as long as Retry-After says, then ask again."
	case code == "forbidden":
		return "the token may only read.\nNext: use one of a user who may chat: NAME:TOKEN without a scope, or with :chat."
	}
	return ""
}

// throughProxy says, where the question differs, that the gateway does not know of
// its own https: then it takes all clients for one address, too.
func throughProxy(ask func(context.Context, *visit) error) func(context.Context, *visit) error {
	return func(ctx context.Context, v *visit) error {
		err := ask(ctx, v)
		if err != nil {
			v.advise("the gateway takes its clients' https for http: it does not trust the proxy before it, and takes everybody for one address.\n" +
				"Next: name that proxy in TRUSTED_PROXIES, and have it send X-Forwarded-Proto and X-Forwarded-For.")
		}
		return err
	}
}

// away says what to do about an agent that is not there; empty where it is.
func away(err error) string {
	var other *client.Unwanted
	if !errors.As(err, &other) || !other.Answer.MayPass() && other.Answer.Status != http.StatusGatewayTimeout || other.Answer.Fault().Code == "rate_limited" {
		return ""
	}
	return "the gateway is there, and no agent answers behind it.\n" +
		"Next: natively, see that the agent runs and that AGENT_URL is its address. On Workers, look at `npx wrangler tail`\n" +
		"while you ask again, and whether max_instances is reached."
}
